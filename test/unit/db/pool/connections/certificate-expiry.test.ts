import { X509Certificate } from "node:crypto";
import { describe, expect, test } from "vitest";
import { createAuthority } from "../../../../../servers/pki.ts";
import { readCertificate } from "../../../../../src/db/links/certificate.ts";
import { ExpiryWatch } from "../../../../../src/db/pool/connections/certificate-expiry.ts";

const dayMs = 86_400_000;
const now = Date.UTC(2026, 10, 1);
const server = (days: number) => ({ subject: "CN=db", notAfterMs: now + days * dayMs });
const authority = (days: number) => ({
  ...{ pem: "", subject: "CN=CA", notBefore: "2020-01-01T00:00:00Z" },
  notAfter: new Date(now + days * dayMs).toISOString(),
});

describe("a certificate that expires", () => {
  test("in 30 days is not reported, a moment later it is", () => {
    expect(new ExpiryWatch().due(server(30), [authority(30)], now)).toEqual([]);
    expect(new ExpiryWatch().due(server(30), [authority(30)], now + 1)).toEqual([
      { kind: "server", subject: "CN=db", days_left: 29 },
      { kind: "ca", subject: "CN=CA", days_left: 29 },
    ]);
  });

  test("is reported once a day, each separately", () => {
    const watch = new ExpiryWatch();
    expect(watch.due(server(10), [authority(40)], now)).toHaveLength(1);
    expect(watch.due(server(10), [authority(40)], now + dayMs - 1)).toEqual([]);
    expect(watch.due(server(10), [authority(10)], now + dayMs - 1)).toEqual([
      { kind: "ca", subject: "CN=CA", days_left: 9 },
    ]);
    expect(watch.due(server(10), [authority(10)], now + dayMs)).toEqual([
      { kind: "server", subject: "CN=db", days_left: 9 },
    ]);
  });

  test("of a server that no link has seen is unknown", () => {
    expect(new ExpiryWatch().due(undefined, [], now)).toEqual([]);
  });

  test("is reported after its last day too, because a bundle may have an expired one", () => {
    expect(new ExpiryWatch().due(undefined, [authority(-3)], now)).toEqual([
      { kind: "ca", subject: "CN=CA", days_left: -3 },
    ]);
  });
});

describe("a server's certificate", () => {
  test("is read as it was issued", async () => {
    const notAfter = new Date(Date.UTC(2031, 1, 3, 4, 5, 6));
    const { certificate } = await (await createAuthority("CA")).issue({ commonName: "db, 1", notAfter });
    expect(readCertificate(new X509Certificate(certificate).raw)).toEqual({
      subject: "CN=db\\, 1",
      notAfterMs: notAfter.getTime(),
    });
  });

  test("that cannot be read is undefined", () => {
    expect(readCertificate(new Uint8Array([0x30, 0x01, 0x00]))).toBeUndefined();
    expect(readCertificate(new Uint8Array())).toBeUndefined();
  });
});
