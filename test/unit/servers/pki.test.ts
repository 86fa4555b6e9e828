import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createAuthority, ensurePki } from "../../../servers/pki.ts";

const dayMs = 86_400_000;
const serverAuth = "1.3.6.1.5.5.7.3.1";

describe("a private authority", () => {
  test("is a CA whose leaf is valid for its names", async () => {
    const authority = await createAuthority("Test CA");
    const pair = await authority.issue({ commonName: "db", dns: ["localhost"], ip: ["127.0.0.1"] });
    const root = new X509Certificate(authority.certificate);
    const leaf = new X509Certificate(pair.certificate);
    expect(root.ca).toBe(true);
    expect(leaf.ca).toBe(false);
    expect(leaf.verify(root.publicKey)).toBe(true);
    expect(leaf.checkIssued(root)).toBe(true);
    expect(leaf.checkPrivateKey(createPrivateKey(pair.key))).toBe(true);
    expect(leaf.checkHost("localhost")).toBe("localhost");
    expect(leaf.checkHost("example.com")).toBeUndefined();
    expect(leaf.checkIP("127.0.0.1")).toBe("127.0.0.1");
    expect(leaf.keyUsage).toEqual([serverAuth]);
    expect(leaf.publicKey.asymmetricKeyDetails?.namedCurve).toBe("prime256v1");
  });

  test("makes the invalid certificates that tests need", async () => {
    const authority = await createAuthority("Test CA");
    const other = await createAuthority("Test CA");
    const past = { notBefore: new Date(Date.now() - 9 * dayMs), notAfter: new Date(Date.now() - dayMs) };
    const expired = new X509Certificate((await authority.issue({ commonName: "db", ...past })).certificate);
    expect(expired.validToDate.getTime()).toBeLessThan(Date.now());
    const nameOnly = new X509Certificate((await authority.issue({ commonName: "localhost" })).certificate);
    expect(nameOnly.subjectAltName).toBeUndefined();
    const foreign = new X509Certificate((await other.issue({ commonName: "db" })).certificate);
    expect(foreign.issuer).toBe("CN=Test CA");
    expect(foreign.verify(new X509Certificate(authority.certificate).publicKey)).toBe(false);
    const notCa = await createAuthority("Not a CA", { parent: authority, ca: false });
    expect(new X509Certificate(notCa.certificate).ca).toBe(false);
    const rsa = await authority.issue({ commonName: "db", keyType: "RSA-2048" });
    expect(createPrivateKey(rsa.key).asymmetricKeyType).toBe("rsa");
  });
});

describe("the permanent certificates of the test servers", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "tidegate-pki-"));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  test("are made once, with private keys for their owner only", async () => {
    const first = await ensurePki(directory);
    const second = await ensurePki(directory);
    expect([second.ca, second.certificate, second.key]).toEqual([first.ca, first.certificate, first.key]);
    expect(readFileSync(first.caPath, "utf8")).toBe(first.ca);
    for (const name of ["ca.key", "server.key"]) {
      expect(statSync(join(directory, name)).mode & 0o777).toBe(0o600);
    }
  });

  test("are renewed under the same authority when less than 7 days are left, or when damaged", async () => {
    const first = await ensurePki(directory);
    const names = { commonName: "localhost", dns: ["localhost"] };
    const soon = await first.authority.issue({ ...names, notAfter: new Date(Date.now() + 6 * dayMs) });
    writeFileSync(join(directory, "server.pem"), soon.certificate);
    writeFileSync(join(directory, "server.key"), soon.key);
    const second = await ensurePki(directory);
    expect(second.ca).toBe(first.ca);
    const renewed = new X509Certificate(second.certificate);
    expect(renewed.validToDate.getTime()).toBeGreaterThan(Date.now() + 300 * dayMs);
    expect(renewed.verify(new X509Certificate(first.ca).publicKey)).toBe(true);
    writeFileSync(join(directory, "server.key"), soon.key);
    const third = await ensurePki(directory);
    const leaf = new X509Certificate(third.certificate);
    expect(leaf.checkPrivateKey(createPrivateKey(third.key))).toBe(true);
  });
});
