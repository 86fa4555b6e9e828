import type { Authority } from "../../config/config.ts";
import type { Cluster, Host } from "../../config/schema.ts";
import { bundleAt } from "./ca-bundle.ts";
import { readCertificate } from "./certificate.ts";
import type { Greeted } from "./dial.ts";
import { dial, show, text } from "./dial.ts";
import type { Link, ServerCertificate } from "./link.ts";
import { LinkError } from "./link.ts";
import { SocketReader } from "./socket-reader.ts";
import { SocketWire } from "./socket-wire.ts";
import module from "./tls.wasm";
import type { Step, TlsSettings } from "./tls-engine.ts";
import { slices, TlsEngine, TlsFailure } from "./tls-engine.ts";
import { explain } from "./tls-reasons.ts";
import type { Verified } from "./tls-session-reuse.ts";
import { ReusableEngines } from "./tls-session-reuse.ts";

/**
 * Our own TLS over a plain socket: rustls in WebAssembly. It trusts only the CAs of the configuration. Each
 * connection has its own instance, so connections share no memory, and a fault ends one connection only.
 * After its connection has ended, an instance may serve another one, which resumes the TLS 1.3 session.
 */
export function rustlsLink(cluster: Cluster, authorities: readonly Authority[]): Link {
  let certificate: ServerCertificate | undefined;
  const reusable = new ReusableEngines<TlsEngine>();
  const handshakes = { full: 0, resumed: 0 };
  return {
    handshakes,
    get certificate() {
      return certificate;
    },
    async dial(host, signal, opened) {
      const settings: TlsSettings = {
        bundle: bundleAt(authorities, new Date()),
        serverName: cluster.tls_server_name ?? host.hostname,
        lowest: cluster.tls_min ?? "TLSv1.2",
        highest: cluster.tls_max ?? "TLSv1.3",
      };
      const verified = (der: Uint8Array, resumed: boolean) => {
        handshakes[resumed ? "resumed" : "full"] += 1;
        certificate = readCertificate(der);
        return certificate;
      };
      return new RustlsWire(host, await dial(host, "off", signal, opened), settings, {
        reusable,
        opened: verified,
      });
    },
  };
}

/** State that the connections of one link share. */
interface Shared {
  reusable: ReusableEngines<TlsEngine>;
  /** Called when TLS is open. @returns the parsed certificate of the server */
  opened(certificate: Uint8Array, resumed: boolean): ServerCertificate | undefined;
}

class RustlsWire extends SocketWire {
  readonly #host: Host;
  readonly #settings: TlsSettings;
  readonly #shared: Shared;
  /** True before TLS begins. After that, `write` encrypts all bytes or refuses them. */
  #isClear = true;
  #engine: TlsEngine | undefined;
  /** Set when TLS is open. */
  #verified: Verified | undefined;

  constructor(host: Host, greeted: Greeted, settings: TlsSettings, shared: Shared) {
    super(show(host), greeted);
    this.#host = host;
    this.#settings = settings;
    this.#shared = shared;
  }

  async secure(): Promise<void> {
    const { socket } = this;
    if (!socket) throw new LinkError("tls", "the connection was closed before TLS");
    this.#isClear = false;
    const reader = new SocketReader(socket);
    try {
      await this.lastWrite;
      if (this.socket !== socket) throw new Error("the connection was closed before TLS");
      const settings = JSON.stringify([this.#host, this.#settings]);
      const reused = this.#shared.reusable.take(settings, Date.now());
      const engine = reused?.engine ?? new TlsEngine(module);
      this.#engine = engine;
      let step = reused ? engine.beginAgain() : engine.start(this.#settings);
      for (;;) {
        await this.#sendRecords(step.records);
        if (step.state === "open") break;
        const chunk = await reader.read();
        if (this.socket !== socket) throw new Error("the connection was closed during TLS");
        step = chunk ? this.#receive(engine, chunk) : engine.receiveEnd();
        // The server sends nothing after a close_notify, so the loop would never end.
        if (step.state === "closed") throw new Error("the server sent close_notify during the handshake");
      }
      if (this.socket !== socket) throw new Error("the connection was closed during TLS");
      const { resumed, certificate } = engine.details();
      const { notAfterMs } = this.#shared.opened(certificate, resumed) ?? {};
      // A resumed session's chain was not verified again, so the time of the first verification stays.
      const atMs = resumed && reused ? reused.verified.atMs : Date.now();
      this.#verified = { settings, atMs, notAfterMs };
    } catch (cause) {
      // The server may have failed because of a ticket. So the next connection makes a full handshake.
      this.#shared.reusable.clear();
      // Throw before the wire is destroyed: for a closed wire the driver only reports a lost connection.
      throw new LinkError("tls", this.#reason(cause));
    }
    this.secured = true;
    void this.pump(socket, reader);
  }

  /**
   * Reads handshake messages. A server sends nothing else before the login, so plain bytes here are an error.
   */
  #receive(engine: TlsEngine, chunk: Uint8Array): Step {
    const steps = [...slices(chunk)].map((piece) => engine.receive(piece));
    if (steps.some(({ plain }) => plain.length > 0))
      throw new Error("the server sent something before the login");
    const records = Buffer.concat(steps.map((step) => step.records));
    return { ...(steps.at(-1) as Step), records };
  }

  #reason(cause: unknown): string {
    // Send the alert with the reason to the server. A failure of this write does not matter.
    if (cause instanceof TlsFailure) void this.#sendRecords(cause.records).catch(() => {});
    const { serverName, lowest, highest } = this.#settings;
    const why = cause instanceof TlsFailure ? explain(cause, { serverName, lowest, highest }) : text(cause);
    return `no verified TLS with ${show(this.#host)}: ${why}`;
  }

  override write(bytes: Uint8Array, done?: (error?: Error) => void): boolean {
    if (this.#isClear) return super.write(bytes, done);
    try {
      if (!this.#engine) throw new Error(this.#verified ? "the connection was closed" : "TLS has not begun");
      return super.write(this.#engine.send(bytes), done);
    } catch (cause) {
      const error = new Error(`writing to ${show(this.#host)}: ${text(cause)}`);
      done?.(error);
      this.destroy(error);
      return true;
    }
  }

  protected override *received(chunk: Uint8Array): Generator<Uint8Array> {
    const engine = this.#engine as TlsEngine;
    for (const piece of slices(chunk)) {
      const step = engine.receive(piece);
      // On an open connection, these records answer a key update.
      void this.#sendRecords(step.records).catch(() => {});
      this.isOver ||= step.state === "closed";
      if (step.plain.length > 0) yield step.plain;
    }
  }

  protected override receivedEnd(): void {
    this.#engine?.receiveEnd();
  }

  override destroy(error?: Error): void {
    if (!this.socket) return;
    const engine = this.#engine;
    this.#engine = undefined;
    if (engine) this.#part(engine, error === undefined ? this.#verified : undefined);
    super.destroy(error);
  }

  /**
   * Sends close_notify to the server.
   * @param verified set if the connection was open and not broken: its engine is kept for another connection
   */
  #part(engine: TlsEngine, verified: Verified | undefined): void {
    let goodbye: Uint8Array;
    try {
      goodbye = verified ? engine.suspend() : engine.close();
    } catch {
      // TLS has failed, so there is no close_notify to send.
      engine.free();
      return;
    }
    if (verified) this.#shared.reusable.put(engine, verified);
    else engine.free();
    void this.#sendRecords(goodbye).catch(() => {});
  }

  async #sendRecords(records: Uint8Array): Promise<void> {
    if (records.length > 0) await this.writer.write(records);
  }
}
