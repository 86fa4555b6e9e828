import { X509Certificate } from "node:crypto";
import type { Authority } from "../../src/config/config.ts";
import type { Host } from "../../src/config/schema.ts";
import { bundleAt } from "../../src/db/links/ca-bundle.ts";
import { EngineSocket } from "./engine-socket.ts";
import type { Trust } from "./node-wire.ts";
import { NodeWire } from "./node-wire.ts";

/** The same TLS as the link rustls: its engine verifies, with the CAs of the bundle that are valid now. */
export class RustlsNodeWire extends NodeWire {
  readonly #authorities: readonly Authority[];

  constructor(host: Host, trust: Omit<Trust, "ca">, authorities: readonly Authority[]) {
    super(host, { ...trust, ca: undefined });
    this.#authorities = authorities;
  }

  /** @throws TlsFailure, LinkError, or the error of Node's socket */
  override async secure(): Promise<void> {
    this.step = "tls";
    const secured = await EngineSocket.open(this.socket, {
      bundle: bundleAt(this.#authorities, new Date()),
      serverName: this.host.hostname,
      lowest: this.trust.tlsMin,
      highest: this.trust.tlsMax,
    });
    const { protocol, cipher, certificate } = secured.engine.details();
    this.adopt(secured, {
      // rustls uses Rust's names: TLSv1_3, TLS13_AES_128_GCM_SHA256.
      protocol: protocol.replace("_", "."),
      cipher: cipher.replace("TLS13_", "TLS_"),
      certificate: new X509Certificate(certificate),
    });
  }
}
