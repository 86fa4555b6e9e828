import { text } from "./dial.ts";
import type { Wire } from "./link.ts";
import { LinkError } from "./link.ts";
import { SocketReader } from "./socket-reader.ts";
import { SocketWire } from "./socket-wire.ts";

/**
 * A connection to Hyperdrive, which runs beside the Worker. The platform protects the way to Hyperdrive. From
 * there to the server, Hyperdrive uses TLS and verifies the server by its own configuration (sslmode
 * VERIFY_IDENTITY). So nothing is upgraded here, and the greeting comes from Hyperdrive.
 * @param signal closes the socket and rejects
 * @throws LinkError
 */
export async function dialHyperdrive(binding: Hyperdrive, signal: AbortSignal): Promise<Wire> {
  const socket = binding.connect();
  // A failed socket also rejects `closed`. `opened` and read() already report the failure.
  socket.closed.catch(() => {});
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  aborted.catch(() => {});
  const abort = () => reject(new LinkError("dial", "Hyperdrive accepted no connection in time"));
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

  /** Starts to read. The first bytes are Hyperdrive's greeting. */
  override start(): void {
    if (this.socket) void this.pump(this.socket, new SocketReader(this.socket));
  }

  /** There is no guard that copies what the driver may keep. */
  protected override received(chunk: Uint8Array): Iterable<Uint8Array> {
    return [chunk.slice()];
  }

  async secure(): Promise<void> {
    throw new LinkError("tls", "a connection to Hyperdrive is not upgraded");
  }
}
