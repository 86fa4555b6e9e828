import { once } from "node:events";
import net from "node:net";
import tls from "node:tls";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { createAuthority } from "../../../../servers/pki.ts";
import type { Step, TlsSettings } from "../../../../src/db/links/tls-engine.ts";
import { slices, TlsEngine } from "../../../../src/db/links/tls-engine.ts";
import { authority, failureOf, leaf, module, settings } from "./tls-peer.ts";

/** One engine with several connections, one after the other. The server is Node's own TLS. */

const started: tls.Server[] = [];
const sockets: net.Socket[] = [];
afterAll(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of started) server.close();
});

/** A server that sends a greeting. When the greeting has arrived, its tickets have arrived too. */
async function serve(options: tls.TlsOptions = {}): Promise<tls.Server> {
  const server = tls.createServer({ cert: leaf.certificate, key: leaf.key, ...options }, (socket) => {
    socket.on("error", () => {});
    socket.on("data", (bytes) => socket.write(bytes));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  started.push(server);
  return server;
}

/** Runs one connection to its end. @returns the negotiated details */
async function connect(engine: TlsEngine, server: tls.Server, begin: () => Step) {
  const socket = net.connect((server.address() as net.AddressInfo).port, "127.0.0.1");
  socket.on("error", () => {});
  sockets.push(socket);
  const incoming = socket[Symbol.asyncIterator]();
  const receive = async (): Promise<Step> => {
    const { value, done } = await incoming.next();
    if (done) throw new Error("the server has gone");
    let step: Step | undefined;
    for (const piece of slices(value as Buffer)) step = engine.receive(piece);
    return step as Step;
  };
  for (let step = begin(); ; step = await receive()) {
    socket.write(step.records);
    if (step.state === "open") break;
  }
  socket.write(engine.send(Buffer.from("echo")));
  for (let plain = ""; plain !== "echo"; ) plain += Buffer.from((await receive()).plain).toString();
  const details = engine.details();
  socket.write(engine.suspend());
  socket.end();
  return details;
}

let engine: TlsEngine;
beforeEach(() => {
  engine = new TlsEngine(module);
});
const first = (server: tls.Server, with_: TlsSettings = settings) =>
  connect(engine, server, () => engine.start(with_));
const next = (server: tls.Server) => connect(engine, server, () => engine.beginAgain());

describe("the next connection in an engine", () => {
  test("resumes the session, with each ticket once, and shows the same certificate", async () => {
    const server = await serve();
    const { resumed, certificate } = await first(server);
    expect(resumed).toBe(false);
    // Node's server gives two tickets with a full handshake, and none with a resumed one.
    for (const _ of [1, 2]) {
      expect(await next(server)).toMatchObject({ resumed: true, protocol: "TLSv1_3", certificate });
    }
    expect(await next(server)).toMatchObject({ resumed: false, certificate });
  });

  test("is verified in full if the server does not know the ticket", async () => {
    await first(await serve());
    expect(await next(await serve())).toMatchObject({ resumed: false });
  });

  test("to an impostor without the ticket's key is refused", async () => {
    await first(await serve());
    const impostor = await (await createAuthority(authority.commonName)).issue({
      commonName: "db",
      dns: ["db.example.com"],
    });
    const other = await serve({ cert: impostor.certificate, key: impostor.key });
    await expect(next(other)).rejects.toMatchObject({ kind: "bad_signature" });
  });

  test("has a full handshake in TLS 1.2, in which a resumed session would reuse the old secret", async () => {
    const server = await serve();
    expect(await first(server, { ...settings, highest: "TLSv1.2" })).toMatchObject({ resumed: false });
    expect(await next(server)).toMatchObject({ resumed: false, protocol: "TLSv1_2" });
  });

  test("needs no more memory", async () => {
    const server = await serve();
    await first(server);
    await next(server);
    const { memoryBytes } = engine;
    for (let i = 0; i < 30; i++) await next(server);
    expect(engine.memoryBytes).toBe(memoryBytes);
  });
});

describe("an engine", () => {
  test("cannot become idle before its connection is open, nor after it failed", () => {
    const { kind } = failureOf(() => engine.suspend());
    expect(kind).toBe("misuse");
    engine = new TlsEngine(module);
    engine.start(settings);
    expect(failureOf(() => engine.suspend()).kind).toBe("misuse");
    expect(failureOf(() => engine.beginAgain()).kind).toBe("misuse");
  });

  test("cannot begin again before the first connection", () => {
    expect(failureOf(() => engine.beginAgain()).kind).toBe("misuse");
  });

  test("that is idle sends nothing", async () => {
    await first(await serve());
    expect(failureOf(() => engine.send(Buffer.from("x"))).kind).toBe("misuse");
  });
});
