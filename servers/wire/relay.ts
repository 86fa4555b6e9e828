import { once } from "node:events";
import net from "node:net";
import tls from "node:tls";
import * as packets from "./packets.ts";
import type { ConnectionLog } from "./round-trips.ts";
import { acceptTls, readPacket } from "./starttls.ts";
import type { Meddler } from "./tampering.ts";

/** The target of the proxy, and its TLS for clients. Certificates and keys are PEM. */
export interface ProxyOptions {
  readonly target: { readonly host: string; readonly port: number; readonly ca: string };
  readonly certificate: string;
  readonly privateKey: string;
  readonly delayMs?: number;
  /** The only TLS version for clients; by default each version that Node's OpenSSL allows. */
  readonly tlsVersion?: "TLSv1.2" | "TLSv1.3";
  /** Called for each connection, when both sides have TLS. */
  readonly meddle?: (client: net.Socket) => Meddler;
}

/** The current state of the network, shared by all connections of a proxy. */
export interface Conditions {
  delayMs: number;
  deaf: boolean;
}

/**
 * One direction of one connection. It runs its tasks in order, after the delay, and none while bytes are held
 * back.
 */
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

  /** Resolves when bytes sent now would arrive. */
  turn(): Promise<void> {
    return new Promise((resolve) => this.push(resolve));
  }

  wake(): void {
    const first = this.#queue[0];
    if (first === undefined || this.#waiting || this.#conditions.deaf) return;
    this.#waiting = true;
    const waitMs = Math.ceil(first.dueMs - performance.now());
    // Also without a delay, wait until the event loop has read the client's bytes. Otherwise a reply could
    // overtake the rest of a burst that came in two chunks, and the rest would count as another round trip.
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

/** Forwards one connection. */
export class Relay {
  readonly #client: net.Socket;
  readonly #options: ProxyOptions;
  /** The record of the connection. */
  readonly log: ConnectionLog;
  readonly #toServer: DelayLine;
  readonly #toClient: DelayLine;
  #server: net.Socket | undefined;
  #joined = false;

  constructor(client: net.Socket, options: ProxyOptions, conditions: Conditions, log: ConnectionLog) {
    this.#client = client;
    this.#options = options;
    this.log = log;
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
    this.log.note("close", reason === undefined ? {} : { text: reason });
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
    this.log.greeting(greeting.payload);
    client.write(packets.frame(greeting.sequence, greeting.payload));
    if (greeting.payload[0] !== 10) return this.#join(client, server);
    const first = await readPacket(client);
    const bytes = packets.frame(first.sequence, first.payload);
    if (packets.isSslRequest(first.payload)) return this.#secure(bytes, server);
    this.log.clientBytes(bytes);
    this.#toServer.push(() => server.write(bytes));
    this.#join(client, server);
  }

  async #secure(sslRequest: Buffer, server: net.Socket): Promise<void> {
    await this.#toServer.turn();
    server.write(sslRequest);
    // Wait for both together, so that the log shows the first failure.
    this.#join(...(await Promise.all([this.#secureClient(), connectTls(server, this.#options.target)])));
  }

  async #secureClient(): Promise<tls.TLSSocket> {
    // A TLS 1.3 handshake is one round trip: to the server and back.
    await this.#toClient.turn();
    const { certificate, privateKey, tlsVersion } = this.#options;
    const pinned = tlsVersion && { minVersion: tlsVersion, maxVersion: tlsVersion };
    const client = await acceptTls(this.#client, { cert: certificate, key: privateKey, ...pinned });
    const version = client.getProtocol() ?? "unknown";
    const quick = version === "TLSv1.3" || client.isSessionReused();
    this.log.secured(version, quick ? 1 : 2);
    if (!quick) {
      await this.#toServer.turn();
      await this.#toClient.turn();
    }
    return client;
  }

  #join(client: net.Socket, server: net.Socket): void {
    this.#joined = true;
    const meddler = this.#options.meddle?.(client);
    client.on("data", (chunk: Buffer) => {
      try {
        meddler?.fromClient(chunk);
        this.log.clientBytes(chunk);
        this.#toServer.push(() => forward(chunk, client, server));
      } catch (error) {
        client.destroy(error as Error);
      }
    });
    server.on("data", (chunk: Buffer) => {
      this.#toClient.push(() => {
        const shown = meddler?.fromServer(chunk) ?? chunk;
        this.log.serverBytes(shown);
        forward(shown, server, client);
      });
    });
    client.once("close", () => this.#toServer.push(() => server.destroySoon()));
    server.once("close", () => this.#toClient.push(() => client.destroySoon()));
  }
}

/** Resolves when a socket closes, for any reason. events.once() would reject at an error. */
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
  // Server name indication must not hold an IP address. The certificate is compared with `host` in any case.
  const secure = tls.connect({ socket, host, ca, ...(net.isIP(host) ? {} : { servername: host }) });
  secure.on("error", () => {});
  await once(secure, "secureConnect");
  return secure;
}
