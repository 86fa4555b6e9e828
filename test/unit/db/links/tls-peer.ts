import { once } from "node:events";
import net from "node:net";
import tls from "node:tls";
import { readTlsModule } from "../../../../cli/node/tls-module.ts";
import { createAuthority } from "../../../../servers/pki.ts";
import type { Step, TlsSettings } from "../../../../src/db/links/tls-engine.ts";
import { slices, TlsEngine, TlsFailure } from "../../../../src/db/links/tls-engine.ts";

/** Peers for the engine: Node's own TLS over real sockets. */
export const module = readTlsModule();
export const authority = await createAuthority("Test CA");
export const leaf = await authority.issue({ commonName: "db", dns: ["db.example.com"] });
export const settings: TlsSettings = {
  bundle: authority.certificate,
  serverName: "db.example.com",
  lowest: "TLSv1.2",
  highest: "TLSv1.3",
};

/** Functions that close what a test has opened. */
export const closing: (() => unknown)[] = [];
/** One side of a socket pair. The other side is a TLS server. */
async function serve(options: tls.TlsOptions, onClient: (socket: tls.TLSSocket) => void) {
  const server = tls.createServer({ cert: leaf.certificate, key: leaf.key, ...options }, (socket) => {
    socket.on("error", () => {});
    onClient(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const socket = net.connect((server.address() as net.AddressInfo).port, "127.0.0.1");
  socket.on("error", () => {});
  closing.push(
    () => socket.destroy(),
    () => server.close(),
  );
  return { socket };
}

/** A connection with a verified server. */
export async function connect(
  options: tls.TlsOptions = {},
  onClient: (socket: tls.TLSSocket) => void = () => {},
) {
  const { socket } = await serve(options, onClient);
  return await handshake(socket);
}

export async function handshake(socket: net.Socket) {
  const incoming = socket[Symbol.asyncIterator]();
  const engine = new TlsEngine(module);
  let step: Step = engine.start(settings);
  for (;;) {
    if (step.records.length > 0) socket.write(step.records);
    if (step.state === "open") return { engine, socket, incoming };
    const { value } = await incoming.next();
    for (const piece of slices(value as Buffer)) step = engine.receive(piece);
  }
}

export function failureOf(work: () => unknown): TlsFailure {
  try {
    work();
  } catch (cause) {
    if (cause instanceof TlsFailure) return cause;
    throw cause;
  }
  throw new Error("did not fail");
}
