import * as packets from "./packets.ts";

/** A command that a client sent, with the first 200 characters of its SQL where it has any. */
export interface SeenCommand {
  readonly command: string;
  readonly text?: string;
}

/** Something that happened on one connection; `at` is milliseconds of performance.now(). */
export interface ProxyEvent extends Partial<SeenCommand> {
  readonly kind: "connect" | "greeting" | "tls" | "command" | "reply" | "close";
  readonly phase: "handshake" | "command";
  readonly at: number;
}

/**
 * The record of one connection, as its client experiences it. A round trip begins when the client writes after
 * it was given server bytes (or for the first time); whatever it writes before the next server bytes belongs to
 * the same one. A reply's end is never guessed: the client's next write shows that it had what it needed.
 */
export class ConnectionLog {
  readonly events: ProxyEvent[] = [];
  /**
   * TCP connect and greeting count as 1, TLS 1.3 (or a resumed session) as 1, TLS 1.2 as 2, then each exchange of
   * the authentication. On a wire the greeting costs one more: the server speaks only after the client's ACK.
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

  /** Bytes of the client, when they arrive. */
  clientBytes(chunk: Buffer): void {
    // A packet belongs to the round trip in which its first byte came, though a reply may overtake its last.
    if (this.#fromClient.pendingBytes === 0) this.#joins = this.#unanswered;
    for (const packet of this.#fromClient.push(chunk)) {
      this.#clientPacket(packet);
      this.#joins = this.#unanswered;
    }
  }

  /** Bytes of the server, when they are handed to the client. */
  serverBytes(chunk: Buffer): void {
    if (this.#unanswered) this.note("reply");
    this.#unanswered = false;
    if (this.#phase === "command") return;
    if (this.#fromServer.push(chunk).some(({ payload }) => payload[0] === 0x00)) this.#phase = "command";
  }

  #clientPacket({ sequence, payload }: packets.Packet): void {
    // Only commands begin with sequence 0, also those that are pipelined behind the login.
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
    // Never the text of these: they hold credentials.
    this.note("command", { command: this.#loginSeen ? "AuthResponse" : "HandshakeResponse41" });
    if (!this.#loginSeen) this.#capabilities &= payload.readUInt32LE(0);
    this.#loginSeen = true;
    // A compressed stream cannot be read here; wrong counts would be worse than a refusal.
    if (this.#capabilities & packets.capability.COMPRESS)
      throw new Error("the proxy cannot count compressed packets");
  }
}
