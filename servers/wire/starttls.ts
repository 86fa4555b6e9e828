import type { Duplex } from "node:stream";
import tls from "node:tls";
import type { Packet } from "./packets.ts";

/**
 * Answers a TLS handshake on a socket that was in clear text so far. Unread bytes belong to the handshake.
 */
export function acceptTls(socket: Duplex, options: tls.TlsOptions): Promise<tls.TLSSocket> {
  return new Promise((resolve, reject) => {
    const server = tls.createServer(options);
    server.once("tlsClientError", reject);
    server.once("secureConnection", (secure) => {
      secure.on("error", () => {});
      resolve(secure);
    });
    server.emit("connection", socket);
  });
}

/** Reads exactly one packet, and leaves later bytes in the stream for the next reader. */
export function readPacket(socket: Duplex): Promise<Packet> {
  return new Promise((resolve, reject) => {
    let header: Buffer | null = null;
    const attempt = () => {
      header ??= socket.read(4);
      if (header === null) return;
      const length = header.length === 4 ? header.readUIntLE(0, 3) : 0;
      const payload: Buffer | null = length === 0 ? Buffer.alloc(0) : socket.read(length);
      if (payload === null) return;
      leave();
      if (header.length < 4 || payload.length < length) reject(new Error("closed within a packet"));
      else resolve({ sequence: header.readUInt8(3), payload });
    };
    const fail = () => {
      leave();
      reject(socket.errored ?? new Error("closed before a packet"));
    };
    const leave = () => socket.off("readable", attempt).off("close", fail);
    socket.on("readable", attempt).on("close", fail);
    if (socket.closed) fail();
    else attempt();
  });
}
