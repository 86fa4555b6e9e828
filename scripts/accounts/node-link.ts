import { EventEmitter, once } from "node:events";
import net from "node:net";
import tls from "node:tls";
import type { Host } from "../../src/config/schema.ts";
import type { Link, Wire } from "../../src/db/links/link.ts";
import { LinkError } from "../../src/db/links/link.ts";

/** The gateway's link, on Node: so that a script logs in as the gateway does, with its code and its words. */

const headerBytes = 4;
/** A server's greeting has about 100 bytes. */
const greetingBytes = 1024;

/** @param ca PEM of the only CAs to trust; without it Node's public ones and those of NODE_EXTRA_CA_CERTS */
export function nodeLink(ca: string | undefined): Link {
  return { dial: (host, signal) => dial(host, signal, ca) };
}

async function dial(host: Host, signal: AbortSignal, ca: string | undefined): Promise<Wire> {
  const at = `${host.hostname}:${host.port}`;
  const socket = net.connect({ host: host.hostname, port: host.port });
  try {
    await once(socket, "connect", { signal });
  } catch (cause) {
    socket.destroy();
    throw new LinkError("dial", `no connection to ${at}: ${text(cause)}; check the address and the firewall`);
  }
  try {
    return new NodeWire(host, socket, await readGreeting(socket, signal), ca);
  } catch (cause) {
    socket.destroy();
    throw new LinkError("greeting", `no greeting from ${at}: ${text(cause)}`);
  }
}

/** Reads exactly one packet; what follows in clear text stays there and breaks the TLS handshake. */
async function readGreeting(socket: net.Socket, signal: AbortSignal): Promise<Buffer> {
  let header: Buffer | null = null;
  for (;;) {
    header ??= socket.read(headerBytes) as Buffer | null;
    if (header !== null && header.length === headerBytes) {
      const length = header.readUIntLE(0, 3);
      if (length > greetingBytes) throw new Error("it does not speak MySQL's protocol");
      const payload = socket.read(length) as Buffer | null;
      if (payload !== null) return Buffer.concat([header, payload]);
    }
    if (socket.readableEnded || socket.destroyed) throw new Error("it closed the connection");
    await Promise.race([once(socket, "readable", { signal }), once(socket, "close", { signal })]);
  }
}

class NodeWire extends EventEmitter implements Wire {
  readonly #host: Host;
  readonly #greeting: Buffer;
  readonly #ca: string | undefined;
  #socket: net.Socket;
  #closed = false;

  constructor(host: Host, socket: net.Socket, greeting: Buffer, ca: string | undefined) {
    super();
    this.#host = host;
    this.#socket = socket;
    this.#greeting = greeting;
    this.#ca = ca;
    socket.on("error", () => {});
  }

  start(): void {
    this.emit("data", this.#greeting);
  }

  async secure(): Promise<void> {
    const { hostname, port } = this.#host;
    const socket = tls.connect({
      socket: this.#socket,
      host: hostname,
      // RFC 6066 §3: an address is not a server name; it is compared with the certificate all the same.
      ...(net.isIP(hostname) ? {} : { servername: hostname }),
      ...(this.#ca === undefined ? {} : { ca: this.#ca }),
      minVersion: "TLSv1.2",
    });
    this.#socket = socket;
    try {
      await once(socket, "secureConnect");
    } catch (cause) {
      throw new LinkError("tls", `no verified TLS with ${hostname}:${port}: ${text(cause)}`);
    }
    socket.on("data", (bytes: Buffer) => this.emit("data", bytes));
    socket.on("end", () => this.emit("end"));
    socket.on("error", (error) => this.destroy(error));
    socket.on("close", () => this.destroy());
  }

  write(bytes: Uint8Array, done?: (error?: Error) => void): boolean {
    return this.#socket.write(bytes, (error) => done?.(error ?? undefined));
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
  }

  destroy(error?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.destroy();
    if (error) this.emit("error", error);
    this.emit("close");
  }
}

function text(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
