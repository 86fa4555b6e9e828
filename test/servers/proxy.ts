/**
 * A proxy between a MySQL client and a real server that counts round trips exactly and can be slow, deaf or
 * gone. It ends TLS on both sides, so it sees the packets in clear, and forwards them unchanged.
 */
import { once } from "node:events";
import net from "node:net";
import type { Duplex } from "node:stream";
import tls from "node:tls";
import * as packets from "./packets.ts";

/** Where the proxy leads and how it looks to a client; certificates and keys are PEM. */
export interface ProxyOptions {
  readonly target: { readonly host: string; readonly port: number; readonly ca: string };
  readonly certificate: string;
  readonly privateKey: string;
  readonly delayMs?: number;
}

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

/** What happened since a mark, on all connections; the properties keep counting. */
export interface Mark {
  readonly roundTrips: number;
  readonly commands: readonly SeenCommand[];
}

/** A running proxy. */
export interface CountingProxy {
  readonly port: number;
  /** Connections accepted so far, the refused ones too. */
  readonly accepted: number;
  /** Connections that are open now. */
  readonly open: number;
  readonly connections: readonly ConnectionLog[];
  /** One number for each connection, in the order of acceptance. */
  readonly loginRoundTrips: readonly number[];
  /** Round trips after the logins, on all connections. */
  roundTrips(): number;
  commands(): readonly SeenCommand[];
  mark(): Mark;
  /** Destroys every connection on both sides. */
  dropAll(): void;
  /** While on, bytes are accepted and held back; they travel on when it ends, like TCP after a lost route. */
  blackHole(on: boolean): void;
  /** While on, new connections are accepted and closed at once. */
  refuse(on: boolean): void;
  /** Delays each direction: a counted round trip then takes at least twice this time. */
  setDelayMs(delayMs: number): void;
  stop(): Promise<void>;
}

/** Starts a proxy on a free port of 127.0.0.1. */
export async function startCountingProxy(options: ProxyOptions): Promise<CountingProxy> {
  const conditions: Conditions = { delayMs: options.delayMs ?? 0, deaf: false };
  const connections: ConnectionLog[] = [];
  const commands: SeenCommand[] = [];
  const relays = new Set<Relay>();
  let accepted = 0;
  let refusing = false;
  const server = net.createServer({ noDelay: true }, (client) => {
    accepted += 1;
    client.on("error", () => {});
    if (refusing) {
      client.destroy();
      return;
    }
    const log = new ConnectionLog(commands);
    connections.push(log);
    const relay = new Relay(client, options, conditions, log);
    relays.add(relay);
    void relay.run().finally(() => relays.delete(relay));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  const roundTrips = () => connections.reduce((sum, log) => sum + log.roundTrips, 0);
  const dropAll = () => {
    for (const relay of relays) relay.destroy();
  };
  return {
    port,
    connections,
    roundTrips,
    dropAll,
    get accepted() {
      return accepted;
    },
    get open() {
      return [...relays].filter((relay) => relay.open).length;
    },
    get loginRoundTrips() {
      return connections.map((log) => log.loginRoundTrips);
    },
    commands: () => [...commands],
    mark: () => newMark(roundTrips, commands),
    blackHole: (on) => {
      conditions.deaf = on;
      for (const relay of relays) relay.wake();
    },
    refuse: (on) => {
      refusing = on;
    },
    setDelayMs: (delayMs) => {
      conditions.delayMs = delayMs;
    },
    stop: async () => {
      const closed = once(server, "close");
      server.close();
      dropAll();
      await closed;
    },
  };
}

function newMark(roundTrips: () => number, commands: readonly SeenCommand[]): Mark {
  const before = { roundTrips: roundTrips(), commands: commands.length };
  return {
    get roundTrips() {
      return roundTrips() - before.roundTrips;
    },
    get commands() {
      return commands.slice(before.commands);
    },
  };
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

/** What the network is like now; shared by all connections of a proxy. */
interface Conditions {
  delayMs: number;
  deaf: boolean;
}

/** One direction of one connection: runs what it is given in order, after the delay, never while deaf. */
class DelayLine {
  readonly #conditions: Conditions;
  readonly #queue: { dueMs: number; run: () => void }[] = [];
  #waiting = false;

  constructor(conditions: Conditions) {
    this.#conditions = conditions;
  }

  push(run: () => void): void {
    this.#queue.push({ dueMs: performance.now() + this.#conditions.delayMs, run });
    this.wake();
  }

  /** Resolves when something that is sent now would arrive. */
  turn(): Promise<void> {
    return new Promise((resolve) => this.push(resolve));
  }

  wake(): void {
    const first = this.#queue[0];
    if (first === undefined || this.#waiting || this.#conditions.deaf) return;
    this.#waiting = true;
    const waitMs = Math.ceil(first.dueMs - performance.now());
    // Even without delay not before the loop has read what the client wrote already: else a reply could
    // overtake the rest of a burst that came in two chunks, and count it as another round trip.
    if (waitMs <= 0) setImmediate(() => this.#run());
    else setTimeout(() => this.#run(), waitMs);
  }

  #run(): void {
    this.#waiting = false;
    const nowMs = performance.now();
    while (!this.#conditions.deaf && (this.#queue[0]?.dueMs ?? Infinity) <= nowMs) this.#queue.shift()?.run();
    this.wake();
  }
}

/** Carries one connection. */
class Relay {
  readonly #client: net.Socket;
  readonly #options: ProxyOptions;
  readonly #log: ConnectionLog;
  readonly #toServer: DelayLine;
  readonly #toClient: DelayLine;
  #server: net.Socket | undefined;
  #joined = false;

  constructor(client: net.Socket, options: ProxyOptions, conditions: Conditions, log: ConnectionLog) {
    this.#client = client;
    this.#options = options;
    this.#log = log;
    this.#toServer = new DelayLine(conditions);
    this.#toClient = new DelayLine(conditions);
  }

  get open(): boolean {
    return !this.#client.destroyed;
  }

  /** Ends when both sides are closed. */
  async run(): Promise<void> {
    let reason: string | undefined;
    const closed = closing(this.#client);
    try {
      await this.#login();
      await closed;
    } catch (error) {
      reason = error instanceof Error ? error.message : String(error);
      this.destroy();
    }
    this.#log.note("close", reason === undefined ? {} : { text: reason });
    if (this.#server !== undefined && !this.#server.closed) await closing(this.#server);
  }

  wake(): void {
    this.#toServer.wake();
    this.#toClient.wake();
  }

  destroy(): void {
    this.#client.destroy();
    this.#server?.destroy();
  }

  async #login(): Promise<void> {
    const { host, port } = this.#options.target;
    const client = this.#client;
    await this.#toServer.turn();
    const server = net.connect({ host, port, noDelay: true });
    this.#server = server;
    server.on("error", () => {});
    client.once("close", () => this.#toServer.push(() => this.#joined || server.destroySoon()));
    server.once("close", () => this.#toClient.push(() => this.#joined || client.destroySoon()));
    const greeting = await readPacket(server);
    await this.#toClient.turn();
    this.#log.greeting(greeting.payload);
    client.write(packets.frame(greeting.sequence, greeting.payload));
    if (greeting.payload[0] !== 10) return this.#join(client, server);
    const first = await readPacket(client);
    const bytes = packets.frame(first.sequence, first.payload);
    if (packets.isSslRequest(first.payload)) return this.#secure(bytes, server);
    this.#log.clientBytes(bytes);
    this.#toServer.push(() => server.write(bytes));
    this.#join(client, server);
  }

  async #secure(sslRequest: Buffer, server: net.Socket): Promise<void> {
    await this.#toServer.turn();
    server.write(sslRequest);
    // Together, so that the first failure is the one that the log tells.
    this.#join(...(await Promise.all([this.#secureClient(), connectTls(server, this.#options.target)])));
  }

  async #secureClient(): Promise<tls.TLSSocket> {
    // A TLS 1.3 handshake is one round trip: the request's way to the server, and the way back.
    await this.#toClient.turn();
    const { certificate, privateKey } = this.#options;
    const client = await acceptTls(this.#client, { cert: certificate, key: privateKey });
    const version = client.getProtocol() ?? "unknown";
    const quick = version === "TLSv1.3" || client.isSessionReused();
    this.#log.secured(version, quick ? 1 : 2);
    if (!quick) {
      await this.#toServer.turn();
      await this.#toClient.turn();
    }
    return client;
  }

  #join(client: net.Socket, server: net.Socket): void {
    this.#joined = true;
    client.on("data", (chunk: Buffer) => {
      try {
        this.#log.clientBytes(chunk);
        this.#toServer.push(() => forward(chunk, client, server));
      } catch (error) {
        client.destroy(error as Error);
      }
    });
    server.on("data", (chunk: Buffer) => {
      this.#toClient.push(() => {
        this.#log.serverBytes(chunk);
        forward(chunk, server, client);
      });
    });
    client.once("close", () => this.#toServer.push(() => server.destroySoon()));
    server.once("close", () => this.#toClient.push(() => client.destroySoon()));
  }
}

/** Resolves when a socket closes, for whatever reason; events.once() would reject at an error. */
function closing(socket: net.Socket): Promise<void> {
  return new Promise((resolve) => socket.once("close", () => resolve()));
}

function forward(chunk: Buffer, from: net.Socket, to: net.Socket): void {
  if (to.destroyed || to.write(chunk) || from.isPaused()) return;
  from.pause();
  to.once("drain", () => from.resume());
}

async function connectTls(socket: net.Socket, target: ProxyOptions["target"]): Promise<tls.TLSSocket> {
  const { host, ca } = target;
  // Server name indication takes no address; the certificate is compared with `host` either way.
  const secure = tls.connect({ socket, host, ca, ...(net.isIP(host) ? {} : { servername: host }) });
  secure.on("error", () => {});
  await once(secure, "secureConnect");
  return secure;
}

/** Answers a TLS handshake on a socket that has spoken in clear until now; bytes not read yet belong to it. */
export function acceptTls(socket: net.Socket, options: tls.TlsOptions): Promise<tls.TLSSocket> {
  return new Promise((resolve, reject) => {
    const server = tls.createServer(options);
    server.once("tlsClientError", reject);
    server.once("secureConnection", (secure) => {
      secure.on("error", () => {});
      resolve(secure);
    });
    server.emit("connection", socket);
  });
}

/** Reads exactly one packet and leaves the bytes behind it in the stream, for whoever reads next. */
export function readPacket(socket: Duplex): Promise<packets.Packet> {
  return new Promise((resolve, reject) => {
    let header: Buffer | null = null;
    const attempt = () => {
      header ??= socket.read(4);
      if (header === null) return;
      const length = header.length === 4 ? header.readUIntLE(0, 3) : 0;
      const payload: Buffer | null = length === 0 ? Buffer.alloc(0) : socket.read(length);
      if (payload === null) return;
      leave();
      if (header.length < 4 || payload.length < length) reject(new Error("closed within a packet"));
      else resolve({ sequence: header.readUInt8(3), payload });
    };
    const fail = () => {
      leave();
      reject(socket.errored ?? new Error("closed before a packet"));
    };
    const leave = () => socket.off("readable", attempt).off("close", fail);
    socket.on("readable", attempt).on("close", fail);
    if (socket.closed) fail();
    else attempt();
  });
}
