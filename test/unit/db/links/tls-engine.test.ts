import { spawn, spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { freePort } from "../../../../servers/network.ts";
import { slices } from "../../../../src/db/links/tls-engine.ts";
import { limits } from "../../../../src/limits.ts";
import { closing, connect, failureOf, handshake, leaf } from "./tls-peer.ts";

/**
 * The engine in Node. test/gateway/links/tls.test.ts has the attacks of a hostile server, over real links.
 */
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

describe("a verified server", () => {
  test("sends and receives 20 MB in constant memory", async () => {
    const content = Buffer.alloc(20_000_000, "tidegate ");
    const heard: Buffer[] = [];
    const { engine, socket, incoming } = await connect({}, (client) => {
      client.on("data", (chunk) => heard.push(chunk));
      client.once("data", () => client.end(content));
    });
    const question = Buffer.alloc(100_000, "question ");
    socket.write(engine.send(question));
    const received: Uint8Array[] = [];
    let state = "open";
    while (state !== "closed") {
      for (const piece of slices((await incoming.next()).value as Buffer)) {
        const step = engine.receive(piece);
        received.push(step.plain);
        state = step.state;
      }
    }
    expect(Buffer.concat(received).equals(content)).toBe(true);
    expect(Buffer.concat(heard).equals(question)).toBe(true);
    // docs/guides/links.md has this number.
    expect(engine.memoryBytes).toBeLessThan(2 * 1024 * 1024);
    expect(engine.receiveEnd().state).toBe("closed");
  });

  test.each([
    [
      "TLSv1.3",
      "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256",
      "TLSv1_3 TLS13_CHACHA20_POLY1305_SHA256",
    ],
    ["TLSv1.3", "TLS_AES_128_GCM_SHA256", "TLSv1_3 TLS13_AES_128_GCM_SHA256"],
    [
      "TLSv1.2",
      "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305",
      "TLSv1_2 TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    ],
  ] as const)("of %s with %s", async (version, ciphers, expected) => {
    // The server chooses the client's first one of the two.
    const { engine } = await connect({
      ciphers,
      minVersion: version,
      maxVersion: version,
      honorCipherOrder: false,
    });
    const { protocol, cipher, resumed } = engine.details();
    expect({ agreed: `${protocol} ${cipher}`, resumed }).toEqual({ agreed: expected, resumed: false });
  });

  test("shows its certificate", async () => {
    const { engine } = await connect();
    const shown = new X509Certificate(engine.details().certificate);
    expect(shown.fingerprint256).toBe(new X509Certificate(leaf.certificate).fingerprint256);
  });

  test("gets a close_notify", async () => {
    let ended = false;
    const { engine, socket } = await connect({}, (client) => {
      client.resume().once("end", () => {
        ended = true;
      });
    });
    socket.write(engine.close());
    await expect.poll(() => ended).toBe(true);
  });

  test("that closes without a close_notify is an error, not an end", async () => {
    const { engine } = await connect();
    expect(failureOf(() => engine.receiveEnd()).kind).toBe("truncated");
    expect(failureOf(() => engine.send(Buffer.from("x"))).kind).toBe("truncated");
  });

  test("whose record was changed on the way is refused", async () => {
    const { engine, socket, incoming } = await connect({}, (client) =>
      client.once("data", () => client.write("x")),
    );
    // Take the tickets first, so that the changed record is the answer.
    for (const piece of slices((await incoming.next()).value as Buffer)) engine.receive(piece);
    socket.write(engine.send(Buffer.from("?")));
    const record = Buffer.from((await incoming.next()).value as Buffer);
    record.writeUInt8(record.readUInt8(record.length - 1) ^ 1, record.length - 1);
    const { kind, message, records } = failureOf(() => engine.receive(record));
    expect({ kind, message }).toEqual({ kind: "protocol", message: "cannot decrypt peer's message" });
    expect(records.length).toBeGreaterThan(0);
  });
});

/** Node's TLS sends no key update. OpenSSL's own server sends one when it reads a K. */
const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

describe.skipIf(!hasOpenssl)("an OpenSSL server", () => {
  test("may change its keys and ask for new ones, in both directions", async () => {
    const directory = mkdtempSync(join(tmpdir(), "tidegate-openssl-"));
    writeFileSync(join(directory, "leaf.pem"), leaf.certificate);
    writeFileSync(join(directory, "leaf.key"), leaf.key, { mode: 0o600 });
    const port = await freePort();
    const args = [
      "s_server",
      "-accept",
      `127.0.0.1:${port}`,
      "-tls1_3",
      "-cert",
      "leaf.pem",
      "-key",
      "leaf.key",
    ];
    const server = spawn("openssl", args, { cwd: directory });
    closing.push(
      () => server.kill(),
      () => rmSync(directory, { recursive: true }),
    );
    let printed = "";
    server.stdout.on("data", (chunk) => {
      printed += chunk;
    });
    await expect.poll(() => printed).toContain("ACCEPT");
    const socket = net.connect(port, "127.0.0.1");
    closing.push(() => socket.destroy());
    const { engine, incoming } = await handshake(socket);
    const heard = async () => {
      let text = "";
      while (!text.endsWith("\n")) {
        for (const piece of slices((await incoming.next()).value as Buffer)) {
          const { plain } = engine.receive(piece);
          text += Buffer.from(plain).toString();
        }
      }
      return text;
    };
    server.stdin.write("before\n");
    expect(await heard()).toBe("before\n");
    server.stdin.write("K\n");
    // Wait until the server has read the line. Bytes written before would belong to the same line.
    expect(engine.receive((await incoming.next()).value as Buffer).plain).toHaveLength(0);
    server.stdin.write("after\n");
    expect(await heard()).toBe("after\n");
    // The answer to the key update goes before the next bytes, in its own record.
    const records = engine.send(Buffer.from("with new keys\n"));
    const first = 5 + Buffer.from(records).readUInt16BE(3);
    expect(records.length).toBeGreaterThan(first);
    expect(engine.send(new Uint8Array([10])).length).toBe(5 + 1 + 1 + 16);
    socket.write(records);
    await expect.poll(() => printed).toContain("with new keys");
  });
});

test("a step takes no more than a record's content", () => {
  const pieces = [...slices(new Uint8Array(2 * limits.tlsStepBytes + 1))];
  expect(pieces.map(({ length }) => length)).toEqual([limits.tlsStepBytes, limits.tlsStepBytes, 1]);
});
