import { connect } from "cloudflare:sockets";
import type { Host } from "../../config/schema.ts";
import { limits } from "../../limits.ts";
import { LinkError } from "./link.ts";

/** What every link does in clear text: dial, and read the server's greeting. */

/** A socket on which the server has greeted, and has sent nothing else that was read. */
export interface Greeted {
  socket: Socket;
  greeting: Buffer;
  /** Settled by whoever ends the socket, when it has really ended. */
  ending: PromiseWithResolvers<void>;
}

const headerBytes = 4;

/**
 * @param secureTransport `starttls` if the runtime is to do TLS later, `off` if it never is
 * @param signal gives up and closes the socket, whatever the server is doing
 * @param tell called with what settles when the socket has really ended
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
  // A failed socket rejects `closed` as well; `opened` and read() already tell.
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
 * Reads exactly one packet. A byte that follows it before TLS could only be there to be taken for the answer
 * to a later question (STARTTLS injection), so it ends the connection. Bytes that arrive later stay unread
 * and become the first bytes of the TLS handshake, which they break.
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
