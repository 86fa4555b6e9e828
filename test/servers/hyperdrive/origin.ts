import { once } from "node:events";
import net from "node:net";
import mysql, { type Connection } from "mysql2/promise";
import { connectionOptions, type ServerAddress } from "../../../servers/database/connection.ts";
import { capability } from "../../../servers/wire/packets.ts";
import { readPacket } from "../../../servers/wire/starttls.ts";

/** The server, and the account with which a stand-in for Hyperdrive logs in. */
export interface OriginOptions {
  readonly server: ServerAddress;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** The parts of the driver's connection that carry raw packets. After the login its own parser is removed. */
interface RawConnection {
  packetParser: { execute(chunk: Buffer): void };
  write(bytes: Buffer): void;
  destroy(): void;
  on(event: "error" | "end", listener: () => void): void;
}

/** One connection to the server after its login, over verified TLS. */
export class Origin {
  usable = true;
  /** The client that has borrowed the connection. */
  onBytes: ((chunk: Buffer) => void) | undefined;
  onClose: (() => void) | undefined;
  readonly #raw: RawConnection;

  private constructor(connection: Connection) {
    this.#raw = (connection as unknown as { connection: RawConnection }).connection;
    this.#raw.packetParser.execute = (chunk) => this.onBytes?.(chunk);
    const gone = () => {
      this.usable = false;
      this.onClose?.();
    };
    this.#raw.on("error", gone);
    this.#raw.on("end", gone);
  }

  static async open({ server, user, password, database }: OriginOptions): Promise<Origin> {
    return new Origin(
      await mysql.createConnection({ ...connectionOptions(server, user, password), database }),
    );
  }

  send(bytes: Buffer): void {
    this.#raw.write(bytes);
  }

  destroy(): void {
    this.usable = false;
    this.#raw.destroy();
  }
}

/**
 * Reads the server's greeting, to send a similar one: without TLS, for caching_sha2_password, with our own
 * scramble. Its facts about the protocol must be true, because the server's rows are forwarded unchanged.
 */
export async function greetingOf({ host, port }: ServerAddress): Promise<(scramble: Buffer) => Buffer> {
  const socket = net.connect({ host, port });
  await once(socket, "connect");
  const { payload } = await readPacket(socket);
  socket.destroy();
  // Protocol::HandshakeV10: version, its NUL, connection id, 8 bytes of scramble, a NUL, capabilities ..
  const scrambleAt = payload.indexOf(0, 1) + 1 + 4;
  const capabilitiesAt = scrambleAt + 9;
  const head = Buffer.from(payload.subarray(0, capabilitiesAt + 18));
  head.writeUInt16LE(head.readUInt16LE(capabilitiesAt) & ~capability.SSL, capabilitiesAt);
  head.writeUInt8(21, capabilitiesAt + 7);
  return (scramble) => {
    const greeting = Buffer.from(head);
    scramble.copy(greeting, scrambleAt, 0, 8);
    return Buffer.concat([greeting, scramble.subarray(8), Buffer.from("\0caching_sha2_password\0")]);
  };
}
