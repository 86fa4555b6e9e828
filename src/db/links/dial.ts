import { connect } from "cloudflare:sockets";
import type { Host } from "../../config/schema.ts";
import { limits } from "../../limits.ts";
import { LinkError } from "./link.ts";

/** The clear-text part of every link: dial, and read the server's greeting. */

/** A socket after the server's greeting. Nothing else has been read from it. */
export interface Greeted {
  socket: Socket;
  greeting: Buffer;
  /** Settled when the socket has really ended, by the code that closes it. */
  ending: PromiseWithResolvers<void>;
}

const headerBytes = 4;

/**
 * @param secureTransport `starttls` if the runtime does TLS later, `off` if it never does
 * @param signal closes the socket and rejects, in any state
 * @param tell receives a promise that settles when the socket has really ended
 * @throws LinkError
 */
export async function dial(
  host: Host,
  secureTransport: "starttls" | "off",
  signal: AbortSignal,
  tell: (gone: Promise<void>) => void = () => {},
): Promise<Greeted> {
  const socket = connect(host, { secureTransport, allowHalfOpen: false });
  const ending = Promise.withResolvers<void>();
  tell(ending.promise);
  // A failed socket also rejects `closed`. `opened` and read() already report the failure.
  socket.closed.catch(() => {});
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  aborted.catch(() => {});
  const abort = () => reject(new LinkError("dial", `${show(host)} did not greet in time`));
  signal.addEventListener("abort", abort, { once: true });
  try {
    await Promise.race([opened(socket, host), aborted]);
    return { socket, greeting: await Promise.race([readGreeting(socket, host), aborted]), ending };
  } catch (cause) {
    void socket.close().then(ending.resolve, ending.resolve);
    throw cause;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

async function opened(socket: Socket, host: Host): Promise<void> {
  try {
    await socket.opened;
  } catch (cause) {
    throw new LinkError(
      "dial",
      `no connection to ${show(host)}: ${text(cause)}; check the address and the firewall`,
    );
  }
}

/**
 * Reads exactly one packet. A byte after it, before TLS, may be an attack: the driver would later take it for
 * the answer to a command (STARTTLS injection). So such a byte ends the connection. Later bytes stay unread.
 * They become the first bytes of the TLS handshake and break it.
 */
async function readGreeting(socket: Socket, host: Host): Promise<Buffer> {
  const reader = socket.readable.getReader();
  let bytes = Buffer.alloc(0);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) throw new LinkError("greeting", `${show(host)} closed the connection instead of greeting`);
      bytes = Buffer.concat([bytes, value as Uint8Array]);
      if (bytes.length < headerBytes) continue;
      const length = headerBytes + bytes.readUIntLE(0, 3);
      if (length > limits.greetingBytes)
        throw new LinkError("greeting", `${show(host)} does not speak MySQL's protocol`);
      if (bytes.length > length)
        throw new LinkError("greeting", `${show(host)} sent clear text after its greeting`);
      if (bytes.length === length) return bytes;
    }
  } catch (cause) {
    if (cause instanceof LinkError) throw cause;
    throw new LinkError("greeting", `no greeting from ${show(host)}: ${text(cause)}`);
  } finally {
    reader.releaseLock();
  }
}

export function show(host: Host): string {
  return `${host.hostname}:${host.port}`;
}

export function text(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
