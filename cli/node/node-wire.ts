import type { X509Certificate } from "node:crypto";
import { EventEmitter } from "node:events";
import net from "node:net";
import type { Duplex } from "node:stream";
import tls from "node:tls";
import type { Host } from "../../src/config/schema.ts";
import type { Wire } from "../../src/db/links/link.ts";
import type { TlsVersion } from "../../src/db/links/tls-engine.ts";
import type { Step } from "./connection-errors.ts";
import { GreetingError, NoTlsError } from "./connection-errors.ts";

/**
 * A connection from Node to a server, with the same promise as the gateway's own links. Here OpenSSL does
 * TLS, because the platform's link does not exist on Node.
 */

export interface Trust {
  /** PEM certificates: only these are trusted. Undefined: the public CAs. */
  ca: string | readonly string[] | undefined;
  tlsMin: TlsVersion;
  tlsMax: TlsVersion;
}

/** The TLS version and cipher of a verified connection. */
export interface Agreed {
  /** TLSv1.2 or TLSv1.3. */
  protocol: string;
  /** IANA's name of the cipher. */
  cipher: string;
  certificate: X509Certificate;
}

/** The maximum size of a server's greeting; a real one has about 100 bytes. */
const greetingBytes = 1024;
const headerBytes = 4;
/** "Capabilities Flags" of the MySQL manual */
const capabilitySsl = 0x800;

export class NodeWire extends EventEmitter implements Wire {
  /** The current step. */
  step: Step = "dns";
  /** The version in the greeting. */
  serverVersion = "";
  /** Set once the server is verified. */
  agreed: Agreed | undefined;
  protected readonly host: Host;
  protected readonly trust: Trust;
  protected readonly socket: net.Socket;
  #secured: Duplex | undefined;
  readonly gone: Promise<void>;
  #greeting = Buffer.alloc(0);

  constructor(host: Host, trust: Trust) {
    super();
    this.host = host;
    this.trust = trust;
    this.socket = new net.Socket();
    // Every step has its own error listener. Without this one, an error between two steps would end the
    // process.
    this.socket.on("error", () => {});
    this.gone = new Promise((resolve) => this.socket.once("close", () => resolve()));
  }

  /**
   * Connects and reads exactly one packet. @throws the error of Node's socket, GreetingError or NoTlsError
   */
  async dial(): Promise<void> {
    const { hostname: host, port } = this.host;
    this.socket.once("lookup", () => {
      this.step = "dial";
    });
    await new Promise<void>((resolve, reject) => {
      this.socket.once("error", reject);
      this.socket.once("close", () => reject(new Error("closed")));
      this.socket.setNoDelay(true).connect({ host, port }, resolve);
    });
    this.step = "greeting";
    this.#greeting = await this.#readGreeting();
    const payload = this.#greeting.subarray(headerBytes);
    if (payload[0] === 0xff) {
      const words = payload.toString("utf8", 3).replace(/^#.{5}/s, "");
      throw new GreetingError(words, payload.readUInt16LE(1));
    }
    const end = payload.indexOf(0, 1);
    if (payload[0] !== 10 || end < 0 || payload.length < end + 16)
      throw new GreetingError("does not speak MySQL's protocol");
    // MariaDB writes 5.5.5- before its version, for old replicas.
    this.serverVersion = payload.toString("latin1", 1, end).replace(/^5\.5\.5-/, "");
    // After the version: connection id (4), scramble (8), filler (1), then the lower capabilities.
    if ((payload.readUInt16LE(end + 14) & capabilitySsl) === 0) throw new NoTlsError("no TLS");
  }

  async #readGreeting(): Promise<Buffer> {
    return await new Promise<Buffer>((resolve, reject) => {
      let bytes = Buffer.alloc(0);
      const fail = (text: string) => reject(new GreetingError(text));
      this.socket.on("error", reject);
      this.socket.once("end", () => fail("closed the connection instead of greeting"));
      this.socket.on("data", (chunk) => {
        bytes = Buffer.concat([bytes, chunk]);
        if (bytes.length < headerBytes) return;
        const length = headerBytes + bytes.readUIntLE(0, 3);
        if (length > greetingBytes || length < headerBytes + 3) fail("does not speak MySQL's protocol");
        else if (bytes.length > length) fail("sent clear text after its greeting");
        else if (bytes.length === length) {
          this.socket.pause();
          this.socket.removeAllListeners("data");
          resolve(bytes);
        }
      });
    });
  }

  get secured(): boolean {
    return this.agreed !== undefined;
  }

  start(): void {
    this.emit("data", this.#greeting);
  }

  /** Verifies chain, name, validity and version. @throws OpenSSL's error */
  async secure(): Promise<void> {
    this.step = "tls";
    const { hostname } = this.host;
    const { ca, tlsMin, tlsMax } = this.trust;
    const secured = tls.connect({
      socket: this.socket,
      host: hostname,
      // SNI cannot carry an IP address. The certificate must still name the address.
      ...(net.isIP(hostname) ? {} : { servername: hostname }),
      // Not Node's default CAs, because Node's settings may add further CAs.
      ca: typeof ca === "string" ? ca : [...(ca ?? tls.rootCertificates)],
      minVersion: tlsMin,
      maxVersion: tlsMax,
      rejectUnauthorized: true,
    });
    await new Promise<void>((resolve, reject) => {
      secured.once("error", reject);
      secured.once("secureConnect", resolve);
      this.socket.once("close", () => reject(Object.assign(new Error("closed"), { code: "ECONNRESET" })));
    });
    const certificate = secured.getPeerX509Certificate();
    if (certificate === undefined) throw new Error("no certificate");
    const [protocol, cipher] = [secured.getProtocol() ?? "", secured.getCipher().standardName];
    this.adopt(secured, { protocol, cipher, certificate });
  }

  /** From now on the driver's bytes go through this stream. */
  protected adopt(secured: Duplex, agreed: Agreed): void {
    this.#secured = secured;
    this.agreed = agreed;
    this.step = "login";
    secured.on("data", (chunk) => this.emit("data", chunk));
    secured.on("error", (error) => this.emit("error", error));
    secured.on("end", () => this.emit("end"));
    secured.on("close", () => this.emit("close"));
  }

  write(bytes: Uint8Array, done?: (error?: Error) => void): boolean {
    return (this.#secured ?? this.socket).write(bytes, (error) => done?.(error ?? undefined));
  }

  pause(): void {
    this.#secured?.pause();
  }

  resume(): void {
    this.#secured?.resume();
  }

  end(): void {
    (this.#secured ?? this.socket).end();
  }

  destroy(): void {
    this.#secured?.destroy();
    this.socket.destroy();
  }
}
