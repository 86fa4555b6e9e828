import { X509Certificate } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { trustOf } from "../../../../cli/serve/authorities.ts";

type Policy = Parameters<typeof trustOf>[0];

const policyOf = (cluster: Record<string, unknown>, issuers: Record<string, unknown>[] = []) =>
  ({ cluster, issuers }) as unknown as Policy;
const rustls = { link: "rustls", trust: "bundle", ca: "ca/x.pem" };

let directory: string;
const path = (name: string) => join(directory, name);
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "authorities-"));
  writeFileSync(path("two.pem"), `# one\n${rootCertificates[0]}\n# two\r\n${rootCertificates[1]}\n`);
  writeFileSync(path("text.pem"), "no certificate");
  writeFileSync(path("broken.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test("Hyperdrive is refused, with the alternatives", () => {
  expect(() => trustOf(policyOf({ link: "hyperdrive" }), {})).toThrow(
    /^cluster\.link: "hyperdrive" exists on Cloudflare only\. .*tidegate deploy.*rustls.*platform/,
  );
});

test("CAs of the runtime are those of NODE_EXTRA_CA_CERTS, and refused without it", () => {
  const policy = policyOf({ link: "platform", trust: "runtime" });
  expect(() => trustOf(policy, {})).toThrow(
    /^cluster\.trust: "runtime" needs the variable NODE_EXTRA_CA_CERTS .*bundle/,
  );
  const { authorities } = trustOf(policy, { NODE_EXTRA_CA_CERTS: path("two.pem") });
  expect(authorities).toEqual(
    rootCertificates.slice(0, 2).map((text) => new X509Certificate(text).toString()),
  );
});

test.each(["text.pem", "broken.pem", "nowhere.pem"])("NODE_EXTRA_CA_CERTS=%s is refused", (name) => {
  const read = () => trustOf(policyOf(rustls), { NODE_EXTRA_CA_CERTS: path(name) });
  expect(read).toThrow(/^NODE_EXTRA_CA_CERTS=.*Name a PEM file with the CAs to trust\.$/);
});

test("warns where a connection needs public CAs and the machine has none", () => {
  const none = { SSL_CERT_DIR: path("nowhere") };
  const warned = (policy: Policy, environment: Record<string, string> = none) =>
    trustOf(policy, environment).warnings.length;
  expect(warned(policyOf(rustls, [{ issuer: "https://id.example", jwks: { keys: [] } }]))).toBe(0);
  expect(warned(policyOf(rustls, [{ issuer: "x", jwks_uri: "http://id.example/jwks" }]))).toBe(0);
  expect(warned(policyOf(rustls, [{ issuer: "x", jwks_uri: "https://id.example/jwks" }]))).toBe(1);
  expect(warned(policyOf(rustls, [{ issuer: "https://id.example", discovery: true }]))).toBe(1);
  expect(warned(policyOf({ link: "platform", trust: "public" }))).toBe(1);
  expect(warned(policyOf({ link: "platform", trust: "public" }), { SSL_CERT_DIR: directory })).toBe(0);
  expect(
    warned(policyOf({ link: "platform", trust: "public" }), { ...none, SSL_CERT_FILE: path("two.pem") }),
  ).toBe(0);
});
