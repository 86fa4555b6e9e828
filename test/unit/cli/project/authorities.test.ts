import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { makeApplication } from "../../../../cli/project/application.ts";
import { readAuthorities } from "../../../../cli/project/authorities.ts";
import { checkEnvironment, warningsOf } from "../../../../cli/project/environment.ts";
import { projectRoot } from "../../../../cli/project/paths.ts";
import { readPolicyFile } from "../../../../cli/project/project-file.ts";
import { createAuthority } from "../../../../servers/pki.ts";
import { mistakesOf } from "../../config/example.ts";

const directory = mkdtempSync(join(tmpdir(), "tidegate-authorities-"));
mkdirSync(join(directory, "ca"));
afterAll(() => rmSync(directory, { recursive: true }));

const day = (days: number) => new Date(Date.now() + days * 86_400_000);
const first = await createAuthority("First CA");
const second = await createAuthority("Second CA");
const old = await createAuthority("Old CA", { notBefore: day(-30), notAfter: day(-1) });
const leaf = await first.issue({ commonName: "db.example.com", dns: ["db.example.com"] });

function put(text: string): string {
  writeFileSync(join(directory, "ca", "cluster.pem"), text);
  return "ca/cluster.pem";
}
const read = (text: string) => readAuthorities(directory, put(text));

describe("a bundle", () => {
  test("of several CAs is accepted, with comments between them", () => {
    const found = read(`# first\n${first.certificate}\nSubject: second\r\n${second.certificate}`);
    expect(found.map(({ pem }) => pem)).toEqual([first.certificate.trim(), second.certificate.trim()]);
  });

  test("may have an expired CA, if another one is valid", () => {
    const [expired] = read(old.certificate + first.certificate);
    expect(new Date(expired?.notAfter ?? "").getTime()).toBeLessThan(Date.now());
  });

  test.each<[string, string, RegExp]>([
    ["empty", "", /^cluster\.ca: ca\/cluster\.pem has no certificate in PEM/],
    ["without PEM", "certificate", /has no certificate in PEM/],
    ["of DER", Buffer.from("MIIB", "base64").toString("latin1"), /has no certificate in PEM/],
    ["with a private key", first.certificate + leaf.key, /part 2 is a private key: take it out/],
    [
      "with an old form of private key",
      "-----BEGIN RSA PRIVATE KEY-----\nAA==\n-----END RSA PRIVATE KEY-----",
      /part 1 is a private key/,
    ],
    [
      "with something else",
      "-----BEGIN X509 CRL-----\nAA==\n-----END X509 CRL-----",
      /part 1 is a X509 CRL, no certificate/,
    ],
    [
      "with a damaged certificate",
      "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----",
      /part 1 is no certificate that can be read/,
    ],
    [
      "with a part that does not end",
      `${first.certificate}-----BEGIN PRIVATE KEY-----\nAA==\n`,
      /has a part that begins \(-----BEGIN\) and does not end/,
    ],
    [
      "with a server's certificate",
      leaf.certificate,
      /part 1 \(CN=db\.example\.com\) is no CA's certificate/,
    ],
    ["whose days are over", old.certificate, /has no CA that is valid now/],
  ])("%s is refused", (_, text, mistake) => {
    expect(mistakesOf(() => read(text))).toEqual([expect.stringMatching(mistake)]);
  });

  test("that is missing is refused, without a path of the machine", () => {
    expect(mistakesOf(() => readAuthorities(directory, "ca/none.pem"))).toEqual([
      "cluster.ca: ca/none.pem cannot be read: ENOENT: no such file or directory",
    ]);
  });

  test("gets all its mistakes at once", () => {
    expect(mistakesOf(() => read(leaf.certificate + leaf.key))).toHaveLength(2);
  });
});

describe("npm run check", () => {
  const check = (bundle: string) => {
    const policy = readFileSync(join(projectRoot(), "tidegate.toml"), "utf8")
      .replace(
        /(\[env\.production\.cluster\][\s\S]*?)(?:^link = .*$)/m,
        `$1link = "rustls"\nca = "${put(bundle)}"`,
      )
      .replace(/(\[env\.production\.cluster\][\s\S]*?)(?:^trust = .*$)/m, `$1trust = "bundle"`);
    writeFileSync(join(directory, "tidegate.toml"), policy);
    return checkEnvironment("production", directory);
  };

  test("reads the CA file", () => {
    expect(check(first.certificate)).toEqual([]);
    expect(check(leaf.certificate)).toEqual([
      "tidegate.toml, [env.production]: cluster.ca: ca/cluster.pem, part 1 (CN=db.example.com) is no CA's certificate: a bundle has CAs, not servers",
    ]);
  });

  test("warns of a CA with less than 30 days, and of an expired one", async () => {
    const soon = await createAuthority("Soon CA", { notAfter: new Date(day(20).getTime() + 3_600_000) });
    expect(check(first.certificate + soon.certificate + old.certificate)).toEqual([]);
    expect(warningsOf("production", directory)).toEqual([
      expect.stringMatching(/^cluster\.ca: the CA CN=Soon CA expires in 20 days \(\d{4}-\d\d-\d\d\)$/),
      expect.stringMatching(/^cluster\.ca: the CA CN=Old CA has expired and is not trusted \(/),
    ]);
    check(first.certificate);
    expect(warningsOf("production", directory)).toEqual([]);
  });
});

describe("the application", () => {
  const policy = readPolicyFile("development") as { cluster: Record<string, unknown> };
  const cluster = { ...policy.cluster, link: "rustls", trust: "bundle", ca: "ca/cluster.pem" };
  const make = (bundle: string) => {
    put(bundle);
    return makeApplication("development", { ...policy, cluster }, directory);
  };

  test("has the bundle; another bundle gives another generation", () => {
    const [one, same, other] = [make(first.certificate), make(first.certificate), make(second.certificate)];
    expect(one.authorities?.map(({ pem }) => pem)).toEqual([first.certificate.trim()]);
    expect(same.generation).toBe(one.generation);
    expect(other.generation).not.toBe(one.generation);
  });

  test("without a bundle has none", () => {
    expect(makeApplication("development", policy).authorities).toBeUndefined();
  });
});
