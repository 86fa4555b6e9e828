import { createConnection, createServer } from "node:net";

/** A TCP port of 127.0.0.1 that was free just now. Another program may take it. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

/**
 * The version in the first packet of a MySQL or MariaDB server on 127.0.0.1 ("9.7.4-2",
 * "10.11.18-MariaDB-..."), or undefined when no server answers within a second.
 */
export function readGreeting(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: "127.0.0.1", port });
    let bytes = Buffer.alloc(0);
    const finish = (version?: string) => {
      socket.destroy();
      resolve(version);
    };
    socket.setTimeout(1000, () => finish());
    socket.on("error", () => finish());
    socket.on("close", () => finish());
    socket.on("data", (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      // Packet header (4 bytes), protocol version 10, then the server's version up to a NUL.
      const end = bytes.indexOf(0, 5);
      if (bytes.length > 5 && bytes[4] !== 10) finish();
      // MariaDB puts the prefix 5.5.5- before its version, for old replicas.
      else if (end > 0) finish(bytes.toString("latin1", 5, end).replace(/^5\.5\.5-/, ""));
    });
  });
}

/**
 * Listens on 127.0.0.1:`port` and copies bytes to and from a unix socket. When it listens, it resolves with a
 * function that closes the listener and its connections.
 */
export function bridge(port: number, socketPath: string): Promise<() => void> {
  const open = new Set<{ destroy(): unknown }>();
  const server = createServer((client) => {
    const backend = createConnection({ path: socketPath });
    for (const [from, to] of [
      [client, backend],
      [backend, client],
    ] as const) {
      open.add(from);
      from.pipe(to);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        open.delete(from);
        to.destroy();
      });
    }
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      resolve(() => {
        server.close();
        for (const socket of open) socket.destroy();
      });
    });
  });
}
