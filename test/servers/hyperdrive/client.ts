import { createHash, randomBytes } from "node:crypto";
import type net from "node:net";
import * as packets from "../../../servers/wire/packets.ts";
import type { Origin } from "./origin.ts";
import type { Reaction, Shared } from "./shared.ts";

/** https://developers.cloudflare.com/hyperdrive/reference/supported-databases-and-features/ */
const unsupported = /^\s*(USE|PREPARE|EXECUTE|DEALLOCATE)\b/i;

/** One client of a stand-in for Hyperdrive. */
export class HyperdriveClient {
  readonly #socket: net.Socket;
  readonly #shared: Shared;
  readonly #scramble = Buffer.from(randomBytes(20).map((byte) => (byte % 94) + 33));
  readonly #splitter = new packets.PacketSplitter();
  #capabilities: number | undefined;
  #origin: Origin | undefined;

  constructor(socket: net.Socket, shared: Shared) {
    this.#socket = socket;
    this.#shared = shared;
    socket.on("error", () => {});
    // A transaction without its client is never committed: its connection cannot be lent again.
    socket.on("close", () => this.#origin?.destroy());
    socket.on("data", (chunk: Buffer) => {
      for (const packet of this.#splitter.push(chunk)) void this.#take(packet);
    });
    socket.write(packets.frame(0, shared.greeting(this.#scramble)));
  }

  destroy(): void {
    this.#socket.destroy();
  }

  async #take({ sequence, payload }: packets.Packet): Promise<void> {
    if (this.#capabilities === undefined) return this.#logIn(sequence, payload);
    const name = packets.commandName(payload);
    if (name === "COM_QUIT") return this.destroy();
    const sql = name === "COM_QUERY" ? packets.sqlOf(payload, this.#capabilities) : undefined;
    if (sql === undefined || unsupported.test(sql)) {
      this.#shared.refused.push(sql ?? name);
      return this.#refuse({ errno: 1295, message: `${sql ?? name} is not supported by Hyperdrive` });
    }
    this.#shared.statements.push(sql);
    await this.#query(sql, payload, this.#shared.reaction(sql));
  }

  #logIn(sequence: number, payload: Buffer): void {
    const { user, password } = this.#shared;
    const login = packets.parseHandshakeResponse(payload);
    const expected = cachingSha2(password, this.#scramble);
    if (login.userName !== user || !login.authResponse.equals(expected)) {
      this.#socket.end(packets.frame(sequence + 1, packets.errPacket(1045, "Invalid credentials", "28000")));
      return;
    }
    // Only capabilities of both sides are used.
    const offered = packets.parseGreeting(this.#shared.greeting(this.#scramble)).capabilities;
    this.#capabilities = login.capabilities & offered;
    const fastPath = packets.frame(sequence + 1, Buffer.from([1, 3]));
    this.#socket.write(Buffer.concat([fastPath, packets.frame(sequence + 2, packets.okPacket())]));
  }

  async #query(sql: string, payload: Buffer, reaction: Reaction): Promise<void> {
    if (typeof reaction === "object") return this.#refuse(reaction);
    if (reaction === "cut") return this.destroy();
    if (reaction === "hang") return;
    if (!this.#origin && !/^START TRANSACTION/.test(sql)) {
      // The statement would run. But Hyperdrive's cache may answer it, and a test must notice that.
      this.#shared.refused.push(`outside of a transaction: ${sql}`);
      return this.#refuse({ errno: 1105, message: "outside of a transaction" });
    }
    const origin = this.#origin ?? (await this.#borrow());
    if (!origin) return;
    const ends = /^(COMMIT|ROLLBACK)/.test(sql);
    origin.onBytes = (chunk) => {
      if (reaction === "cut-reply") return this.destroy();
      // Before the answer, because the client may ask again as soon as it has it.
      if (ends) this.#giveBack(origin);
      this.#socket.write(chunk);
    };
    origin.send(packets.frame(0, payload));
  }

  async #borrow(): Promise<Origin | undefined> {
    try {
      const origin = await this.#shared.lend();
      this.#origin = origin;
      origin.onClose = () => this.destroy();
      if (this.#socket.destroyed) origin.destroy();
      return origin;
    } catch (cause) {
      const { errno, message } = cause as { errno?: number; message: string };
      // Errors of the server are passed on. Hyperdrive's own errors have no documented number.
      if (errno !== undefined && errno >= 1000 && errno < 5000) this.#refuse({ errno, message });
      else this.#refuse({ errno: 1105, message: "Server connection attempt failed: connection_refused" });
      return undefined;
    }
  }

  #giveBack(origin: Origin): void {
    origin.onBytes = undefined;
    origin.onClose = undefined;
    this.#origin = undefined;
    this.#shared.giveBack(origin);
  }

  #refuse({ errno, message }: { errno: number; message: string }): void {
    this.#socket.write(packets.frame(1, packets.errPacket(errno, message)));
  }
}

/** The answer of caching_sha2_password to a scramble: XOR(SHA256(p), SHA256(SHA256(SHA256(p)), scramble)). */
function cachingSha2(password: string, scramble: Buffer): Buffer {
  const sha256 = (...parts: Buffer[]) => createHash("sha256").update(Buffer.concat(parts)).digest();
  const first = sha256(Buffer.from(password));
  const mask = sha256(sha256(first), scramble);
  return Buffer.from(first.map((byte, i) => byte ^ (mask[i] ?? 0)));
}
