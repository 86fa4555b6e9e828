import type { Host } from "../../config/schema.ts";
import type { Greeted } from "./dial.ts";
import { dial, show, text } from "./dial.ts";
import type { Link } from "./link.ts";
import { LinkError } from "./link.ts";
import { SocketReader } from "./socket-reader.ts";
import { SocketWire } from "./socket-wire.ts";

/**
 * The runtime's own STARTTLS (https://developers.cloudflare.com/workers/runtime-apis/tcp-sockets/). workerd
 * verifies chain, validity and the dialled host name, with TLS 1.2 or 1.3. It trusts the public CAs on
 * Cloudflare, and elsewhere the CAs that it was started with.
 */
export const platformLink: Link = {
  dial: async (host: Host, signal, opened) =>
    new PlatformWire(host, await dial(host, "starttls", signal, opened)),
};

class PlatformWire extends SocketWire {
  readonly #host: Host;

  constructor(host: Host, greeted: Greeted) {
    super(show(host), greeted);
    this.#host = host;
  }

  async secure(): Promise<void> {
    const clear = this.socket;
    if (!clear) throw new LinkError("tls", "the connection was closed before TLS");
    let socket: Socket;
    try {
      await this.lastWrite;
      this.writer.releaseLock();
      socket = clear.startTls();
      // From here on destroy() closes this socket, also in the middle of the handshake. There, workerd closes
      // a socket only when the server continues or ends.
      this.socket = socket;
      socket.closed.catch(() => {});
      await socket.opened;
    } catch (cause) {
      throw new LinkError("tls", this.#tlsReason(cause));
    }
    if (this.socket !== socket) throw new LinkError("tls", "the connection was closed during TLS");
    this.secured = true;
    this.writer = socket.writable.getWriter();
    void this.pump(socket, new SocketReader(socket));
  }

  /** workerd only reports "internal error" for a refused certificate. So the message lists what to check. */
  #tlsReason(cause: unknown): string {
    return `no verified TLS with ${show(this.#host)}: ${text(cause)}; check that its certificate is issued by a CA that the runtime trusts, is valid today and names ${this.#host.hostname}, and that the server offers TLS 1.2 or 1.3`;
  }
}
