import * as packets from "./packets.ts";

/** A client's command, with the first 200 characters of its SQL if it has any. */
export interface SeenCommand {
  readonly command: string;
  readonly text?: string;
}

/** An event on one connection. `at` is in milliseconds of performance.now(). */
export interface ProxyEvent extends Partial<SeenCommand> {
  readonly kind: "connect" | "greeting" | "tls" | "command" | "reply" | "close";
  readonly phase: "handshake" | "command";
  readonly at: number;
}

/**
 * The record of one connection from the client's view. A round trip begins when the client writes for the
 * first time, or after it got server bytes. All writes before the next server bytes belong to the same round
 * trip. The end of a reply is never guessed: the client's next write shows that it has what it needs.
 */
export class ConnectionLog {
  readonly events: ProxyEvent[] = [];
  /**
   * TCP connect and greeting count as 1, TLS 1.3 (or a resumed session) as 1, TLS 1.2 as 2, and each exchange
   * of the authentication as 1. On a real network the greeting costs one more: the server sends it only after
   * the client's ACK.
   */
  loginRoundTrips = 0;
  /** Round trips after the login. */
  roundTrips = 0;
  tlsVersion: string | undefined;
  #phase: ProxyEvent["phase"] = "handshake";
  #capabilities = 0;
  #loginSeen = false;
  #unanswered = false;
  #joins = false;
  #ridesAlong = false;
  readonly #fromClient = new packets.PacketSplitter();
  readonly #fromServer = new packets.PacketSplitter();
  readonly #commands: SeenCommand[];

  constructor(commands: SeenCommand[]) {
    this.#commands = commands;
    this.note("connect");
  }

  note(kind: ProxyEvent["kind"], seen: Partial<SeenCommand> = {}): void {
    this.events.push({ kind, phase: this.#phase, at: performance.now(), ...seen });
  }

  greeting(payload: Buffer): void {
    this.note("greeting");
    this.loginRoundTrips += 1;
    if (payload[0] === 10) this.#capabilities = packets.parseGreeting(payload).capabilities;
  }

  secured(version: string, roundTrips: number): void {
    this.tlsVersion = version;
    this.loginRoundTrips += roundTrips;
    this.note("tls", { text: version });
  }

  /** Called when bytes of the client arrive. */
  clientBytes(chunk: Buffer): void {
    // A packet belongs to the round trip of its first byte, even if a reply overtakes its last byte.
    if (this.#fromClient.pendingBytes === 0) this.#joins = this.#unanswered;
    for (const packet of this.#fromClient.push(chunk)) {
      this.#clientPacket(packet);
      this.#joins = this.#unanswered;
    }
  }

  /** Called when the client gets bytes of the server. */
  serverBytes(chunk: Buffer): void {
    if (this.#unanswered) this.note("reply");
    this.#unanswered = false;
    if (this.#phase === "command") return;
    if (this.#fromServer.push(chunk).some(({ payload }) => payload[0] === 0x00)) this.#phase = "command";
  }

  #clientPacket({ sequence, payload }: packets.Packet): void {
    // Only commands begin with sequence 0, also commands that are pipelined after the login.
    if (sequence === 0) this.#command(payload);
    else if (this.#phase === "handshake") this.#loginPacket(payload);
    if (this.#ridesAlong) return;
    if (!this.#joins && this.#phase === "command") this.roundTrips += 1;
    else if (!this.#joins) this.loginRoundTrips += 1;
    this.#unanswered = true;
  }

  #command(payload: Buffer): void {
    const command = packets.commandName(payload);
    const text = packets.sqlOf(payload, this.#capabilities)?.slice(0, 200);
    const seen = text === undefined ? { command } : { command, text };
    this.#ridesAlong = packets.commandsWithoutReply.has(command);
    this.#commands.push(seen);
    this.events.push({ kind: "command", phase: "command", at: performance.now(), ...seen });
  }

  #loginPacket(payload: Buffer): void {
    // Never record the content of these packets: they hold credentials.
    this.note("command", { command: this.#loginSeen ? "AuthResponse" : "HandshakeResponse41" });
    if (!this.#loginSeen) this.#capabilities &= payload.readUInt32LE(0);
    this.#loginSeen = true;
    // This code cannot read a compressed stream. Refuse it: wrong counts would be worse.
    if (this.#capabilities & packets.capability.COMPRESS)
      throw new Error("the proxy cannot count compressed packets");
  }
}
