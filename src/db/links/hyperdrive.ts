import { text } from "./dial.ts";
import type { Wire } from "./link.ts";
import { LinkError } from "./link.ts";
import { SocketReader } from "./socket-reader.ts";
import { SocketWire } from "./socket-wire.ts";

/**
 * A connection to Hyperdrive, which stands beside the Worker. The way to it is the platform's own; the way
 * from it to the server is TLS, verified by Hyperdrive as its configuration says (sslmode VERIFY_IDENTITY).
 * So nothing is upgraded here, and the greeting is Hyperdrive's.
 * @param signal gives up and closes the socket
 * @throws LinkError
 */
export async function dialHyperdrive(binding: Hyperdrive, signal: AbortSignal): Promise<Wire> {
  const socket = binding.connect();
  // A failed socket rejects `closed` as well; `opened` and read() already tell.
  socket.closed.catch(() => {});
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  aborted.catch(() => {});
  const abort = () => reject(new LinkError("dial", "Hyperdrive took no connection in time"));
  signal.addEventListener("abort", abort, { once: true });
  try {
    await Promise.race([socket.opened, aborted]);
    return new HyperdriveWire(socket);
  } catch (cause) {
    void socket.close().catch(() => {});
    if (cause instanceof LinkError) throw cause;
    throw new LinkError("dial", `no connection to Hyperdrive: ${text(cause)}`);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

class HyperdriveWire extends SocketWire {
  override secured = true;

  constructor(socket: Socket) {
    super("Hyperdrive", { socket, greeting: Buffer.alloc(0), ending: Promise.withResolvers<void>() });
  }

  /** Hyperdrive greets when it is asked to. */
  override start(): void {
    if (this.socket) void this.pump(this.socket, new SocketReader(this.socket));
  }

  async secure(): Promise<void> {
    throw new LinkError("tls", "a connection to Hyperdrive is not upgraded");
  }
}
