import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { TlsSettings } from "../../../../src/db/links/tls-engine.ts";
import { TlsEngine, TlsFailure } from "../../../../src/db/links/tls-engine.ts";
import { explain } from "../../../../src/db/links/tls-reasons.ts";
import { authority, closing, connect, failureOf, module, settings } from "./tls-peer.ts";

afterEach(() => {
  for (const close of closing.splice(0)) close();
  vi.useRealTimers();
});

describe("random bytes of a server instead of its handshake", () => {
  const record = fc
    .tuple(fc.constantFrom(20, 21, 22, 23), fc.uint8Array({ maxLength: 300 }))
    .map(([type, content]) =>
      Uint8Array.of(type, 3, 3, content.length >> 8, content.length & 0xff, ...content),
    );

  test("opens no connection, and stops no instance", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(record, fc.uint8Array({ maxLength: 300 })), { maxLength: 5 }),
        (chunks) => {
          const engine = new TlsEngine(module);
          engine.start(settings);
          try {
            for (const chunk of chunks) expect(engine.receive(chunk).state).toBe("handshaking");
          } catch (cause) {
            if (!(cause instanceof TlsFailure)) throw cause;
            expect(cause.kind).not.toMatch(/^(trap|misuse|settings|clock)$/);
          }
          engine.free();
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("refused", () => {
  test.each([0, Date.UTC(2024, 11, 31)])("a clock that says %d", async (now) => {
    vi.useFakeTimers({ now, toFake: ["Date"] });
    await expect(connect()).rejects.toMatchObject({ kind: "clock" });
  });

  test("a clock without a time", async () => {
    vi.spyOn(Date, "now").mockReturnValue(Number.NaN);
    await expect(connect()).rejects.toMatchObject({ kind: "trap" });
    vi.restoreAllMocks();
  });

  test.each<[string, Partial<TlsSettings>, RegExp]>([
    ["an empty bundle", { bundle: "" }, /no certificate/],
    ["a bundle without PEM", { bundle: "nothing" }, /no certificate/],
    [
      "a damaged certificate",
      { bundle: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n" },
      /a CA of the bundle/,
    ],
    ["no name", { serverName: "" }, /the server's name/],
    ["what is no name", { serverName: "db example" }, /the server's name/],
  ])("%s", (_, part, words) => {
    const failure = failureOf(() => new TlsEngine(module).start({ ...settings, ...part }));
    expect(failure.kind).toBe("settings");
    expect(explain(failure, settings)).toMatch(words);
  });

  test("sending before the server is verified, and everything after that", () => {
    const engine = new TlsEngine(module);
    expect(engine.start(settings).state).toBe("handshaking");
    expect(failureOf(() => engine.send(Buffer.from("secret"))).kind).toBe("misuse");
    expect(failureOf(() => engine.receive(Buffer.from([22]))).kind).toBe("misuse");
  });

  test("every call after free()", async () => {
    const { engine } = await connect();
    engine.free();
    engine.free();
    expect(failureOf(() => engine.send(Buffer.from("x"))).kind).toBe("misuse");
    expect(engine.memoryBytes).toBe(0);
  });

  test("more memory than the artifact declares; this stops only the one instance", async () => {
    const { engine: other } = await connect();
    const engine = new TlsEngine(module);
    const bundle = authority.certificate.repeat(1 + Math.ceil(20_000_000 / authority.certificate.length));
    expect(failureOf(() => engine.start({ ...settings, bundle })).kind).toBe("trap");
    expect(failureOf(() => engine.start(settings)).kind).toBe("trap");
    expect(other.send(Buffer.from("x")).length).toBeGreaterThan(0);
  });
});
