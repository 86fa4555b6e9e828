import tls from "node:tls";
import type { Host } from "../../src/config/schema.ts";
import type { Link, Wire } from "../../src/db/links/link.ts";
import { LinkError } from "../../src/db/links/link.ts";
import { GreetingError, NoTlsError } from "./connection-errors.ts";
import { NodeWire } from "./node-wire.ts";

/**
 * The gateway's link on Node. So a script logs in as the gateway does, with the gateway's code and error
 * messages.
 * @param ca PEM of the only CAs to trust; default: Node's public ones and those of NODE_EXTRA_CA_CERTS
 */
export function nodeLink(ca: string | undefined): Link {
  return { dial: (host, signal) => dial(host, signal, ca ?? tls.getCACertificates("default")) };
}

async function dial(host: Host, signal: AbortSignal, ca: string | string[]): Promise<Wire> {
  const wire = new ScriptWire(host, ca);
  signal.addEventListener("abort", () => wire.destroy(), { once: true });
  try {
    await wire.dial();
    return wire;
  } catch (cause) {
    wire.destroy();
    // The server's own refusal is classified as the driver does it.
    if (cause instanceof GreetingError && cause.errno !== undefined) throw cause;
    if (cause instanceof NoTlsError) throw Object.assign(cause, { code: "HANDSHAKE_NO_SSL_SUPPORT" });
    if (wire.step === "greeting")
      throw new LinkError("greeting", `no greeting from ${show(host)}: ${text(cause)}`);
    throw new LinkError(
      "dial",
      `no connection to ${show(host)}: ${text(cause)}; check the address and the firewall`,
    );
  }
}

class ScriptWire extends NodeWire {
  readonly #host: Host;

  constructor(host: Host, ca: string | string[]) {
    super(host, { ca, tlsMin: "TLSv1.2", tlsMax: "TLSv1.3" });
    this.#host = host;
  }

  override async secure(): Promise<void> {
    try {
      await super.secure();
    } catch (cause) {
      throw new LinkError("tls", `no verified TLS with ${show(this.#host)}: ${text(cause)}`);
    }
  }
}

function show({ hostname, port }: Host): string {
  return `${hostname}:${port}`;
}

function text(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
