import type net from "node:net";
import * as packets from "./packets.ts";

/** Sits in one proxied connection, inside TLS, and may change the bytes for the client. */
export interface Meddler {
  fromClient(chunk: Buffer): void;
  /** @returns the bytes that the client gets instead */
  fromServer(chunk: Buffer): Buffer;
}

/** The position of a server's packet: the command that it answers, and its index in the answer. */
export interface Spot {
  readonly command: string;
  /** The SQL; for an EXECUTE the SQL that was prepared. */
  readonly text: string;
  readonly index: number;
  /** The SQL that was executed last on this connection, before this command or by it. */
  readonly executed: string;
}

/**
 * Decides about a packet: returns bytes for the client, headers included, or undefined to leave the packet
 * unchanged. `cut` ends the connection after these bytes. `swallow` holds back all further bytes of the
 * server.
 */
export type Trick = (
  packet: packets.Packet,
  spot: Spot,
) => { send: Buffer; after?: "cut" | "swallow" } | undefined;

/**
 * Calls a trick for each packet of the server after the login. An answer begins with packet number 1, because
 * commands may be pipelined. No answer that is examined here has more than 250 packets before its last one.
 */
export class TrickMeddler implements Meddler {
  readonly #client: net.Socket;
  readonly #trick: Trick;
  readonly #fromClient = new packets.PacketSplitter();
  readonly #fromServer = new packets.PacketSplitter();
  readonly #prepared = new Map<number, string>();
  readonly #asked: { command: string; text: string }[] = [];
  #current: { command: string; text: string } | undefined;
  #executed = "";
  #index = 0;
  #last = 0;
  #swallowing = false;
  /** The client's packets since the trick changed something. */
  sentSince: packets.Packet[] | undefined;

  constructor(client: net.Socket, trick: Trick) {
    this.#client = client;
    this.#trick = trick;
  }

  fromClient(chunk: Buffer): void {
    for (const packet of this.#fromClient.push(chunk)) {
      this.sentSince?.push(packet);
      if (packet.sequence !== 0) continue;
      const { payload } = packet;
      const command = packets.commandName(payload);
      if (packets.commandsWithoutReply.has(command)) continue;
      const isExecute = command === "COM_STMT_EXECUTE";
      const sql = packets.sqlOf(payload, payload[1] === 0 ? packets.capability.QUERY_ATTRIBUTES : 0);
      const text = isExecute ? this.#prepared.get(payload.readUInt32LE(1)) : sql;
      this.#asked.push({ command, text: text ?? "" });
    }
  }

  fromServer(chunk: Buffer): Buffer {
    if (this.#swallowing) return Buffer.alloc(0);
    return Buffer.concat(this.#fromServer.push(chunk).map((packet) => this.#meddle(packet)));
  }

  #meddle(packet: packets.Packet): Buffer {
    if (this.#swallowing) return Buffer.alloc(0);
    const unchanged = packets.frame(packet.sequence, packet.payload);
    if (packet.sequence === 1 && (this.#last !== 0 || !this.#current) && this.#asked.length > 0) {
      this.#current = this.#asked.shift();
      this.#index = 0;
      if (this.#current?.command === "COM_STMT_EXECUTE") this.#executed = this.#current.text;
    }
    this.#last = packet.sequence;
    if (!this.#current) return unchanged;
    const spot = { ...this.#current, index: this.#index++, executed: this.#executed };
    if (spot.command === "COM_STMT_PREPARE" && spot.index === 0 && packet.payload[0] === 0)
      this.#prepared.set(packet.payload.readUInt32LE(1), spot.text);
    const played = this.#trick(packet, spot);
    if (!played) return unchanged;
    this.sentSince = [];
    if (played.after !== undefined) this.#swallowing = true;
    if (played.after === "cut") setImmediate(() => this.#client.end());
    return played.send;
  }
}
