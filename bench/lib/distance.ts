import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { connect, createServer } from "node:net";

/** A proxy that adds a distance: it sends bytes on later, and never looks at them. */
export interface Distance {
  /** On 127.0.0.1. */
  port: number;
  stop(): Promise<void>;
}

/**
 * Puts a server at a distance. TLS goes through it as it is, so it costs far less CPU than the proxy that
 * counts round trips (servers/wire/proxy.ts). A connection is made without a delay.
 * @param roundTripMs half of it in each direction; a timer may be up to a millisecond late
 */
export async function startDistance(
  { host, port }: { host: string; port: number },
  roundTripMs: number,
): Promise<Distance> {
  const open = new Set<Socket>();
  const listener = createServer({ noDelay: true }, (client) => {
    const server = connect({ host, port, noDelay: true });
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      open.add(from);
      from.once("close", () => open.delete(from));
      from.on("error", () => to.destroy());
      carry(from, to, roundTripMs / 2);
    }
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  return {
    port: (listener.address() as AddressInfo).port,
    async stop() {
      const closed = once(listener, "close");
      listener.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}

/** One direction. The queue keeps the order of the bytes; undefined is the end. */
function carry(from: Socket, to: Socket, delayMs: number): void {
  const queue: (Buffer | undefined)[] = [];
  const later = (bytes?: Buffer) => {
    queue.push(bytes);
    setTimeout(() => {
      const next = queue.shift();
      if (next) to.write(next);
      else to.end();
    }, delayMs);
  };
  from.on("data", later);
  from.on("end", () => later());
}
