import { execFile } from "node:child_process";
import type { RequestListener } from "node:http";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkIssuers } from "../../../../cli/check/issuers.ts";
import { createSigningKey } from "../../../../servers/issuer/issuer.ts";
import { createAuthority } from "../../../../servers/pki.ts";
import type { Policy } from "../../../../src/config/schema.ts";
import { issuerSchema } from "../../../../src/config/schema.ts";
import { limits } from "../../../../src/limits.ts";

/** Every answer comes from a real HTTP or HTTPS server, and goes through the Worker's own code. */

const routes: Record<string, RequestListener> = {};
const server = createServer((request, response) => {
  const route = routes[request.url ?? ""];
  if (route) route(request, response);
  else response.writeHead(404).end();
});
let origin: string;

const json = (value: unknown): RequestListener => {
  return (_, response) =>
    void response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
};

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { publicJwk } = await createSigningKey("ES256");
  const rsa = await createSigningKey("RS256");
  const { publicJwk: ed } = await createSigningKey("Ed25519");
  const p521 = await createSigningKey("ES512");
  const { alg: _, ...unsaid } = publicJwk;
  /** Numbers of two points: it is on no curve. */
  const off = { ...publicJwk, kid: "off", y: publicJwk.x };
  const one = { ...rsa.publicJwk, kid: "one", e: "AQ" };
  Object.assign(routes, {
    "/good": json({ keys: [publicJwk] }),
    "/both": json({ keys: [publicJwk, rsa.publicJwk] }),
    "/some": json({ keys: [publicJwk, { kty: "oct", k: "AA" }] }),
    "/private": json({ keys: [{ kty: "oct", k: "AA" }] }),
    "/none": json({ keys: [] }),
    "/edwards": json({ keys: [ed, { ...ed, alg: "EdDSA", kid: "old" }] }),
    "/p521": json({ keys: [p521.publicJwk] }),
    "/off": json({ keys: [off] }),
    "/off-beside": json({ keys: [off, one, publicJwk] }),
    "/one": json({ keys: [one] }),
    "/future": json({ keys: [{ kty: "PQC", alg: "PQ1" }, publicJwk] }),
    "/future-alone": json({ keys: [{ kty: "PQC", alg: "PQ1" }] }),
    "/twins": json({
      keys: [
        { ...publicJwk, kid: "\u001b[31mtwin\u009b" },
        { ...unsaid, kid: "\u001b[31mtwin\u009b" },
        { ...unsaid, kid: undefined },
        { ...rsa.publicJwk, kid: "r" },
        { ...rsa.publicJwk, kid: undefined, alg: undefined },
      ],
    }),
    "/odd": json({ keys: [publicJwk, { ...rsa.publicJwk, kid: { toString: 1 } }] }),
    "/junk": json({ keys: [publicJwk, ...Array.from({ length: 20_000 }, () => 0)] }),
    "/crowd": json({ keys: Array.from({ length: limits.keysTried + 1 }, () => unsaid) }),
    "/marked": ((_, response) =>
      response.writeHead(200).end(`\uFEFF${JSON.stringify({ keys: [publicJwk] })}`)) as RequestListener,
    "/choosy": ((request, response) => {
      const isAsked = request.headers.accept?.split(", ").includes("application/jwk-set+json");
      response.writeHead(isAsked ? 200 : 406, { "content-type": "application/jwk-set+json" });
      response.end(isAsked ? JSON.stringify({ keys: [publicJwk] }) : "");
    }) as RequestListener,
    "/xml": ((_, response) => response.writeHead(406).end()) as RequestListener,
    "/no-set": json({ hello: "world" }),
    "/page": ((_, response) =>
      response.writeHead(200, { "content-type": "text/html" }).end("<html></html>")) as RequestListener,
    "/moved": ((_, response) =>
      response.writeHead(302, { location: `${origin}/good` }).end()) as RequestListener,
    "/login": ((_, response) => response.writeHead(403).end("no")) as RequestListener,
    "/broken": ((_, response) => response.writeHead(500).end("stack trace")) as RequestListener,
    "/cut": ((_, response) => {
      response.writeHead(200, { "content-length": 1000 }).write("{");
      setTimeout(() => response.destroy(), 20);
    }) as RequestListener,
    "/long": ((_, response) => response.writeHead(200).end("x".repeat(65_537))) as RequestListener,
    "/tenant/.well-known/openid-configuration": json({
      issuer: `${origin}/tenant`,
      jwks_uri: `${origin}/good`,
    }),
    "/slash/.well-known/openid-configuration": json({
      issuer: `${origin}/slash/`,
      jwks_uri: `${origin}/good`,
    }),
    "/hostile/.well-known/openid-configuration": json({ issuer: "\u001b[31mred" }),
    "/astray/.well-known/openid-configuration": json({
      issuer: `${origin}/astray`,
      jwks_uri: "http://keys.example.com/jwks.json",
    }),
    "/empty/.well-known/openid-configuration": json({ issuer: `${origin}/empty` }),
    "/object/.well-known/openid-configuration": json({ issuer: { toString: 1 } }),
    "/deep/.well-known/openid-configuration": ((_, response) =>
      response
        .writeHead(200)
        .end(`{"issuer":${"[".repeat(20_000)}${"]".repeat(20_000)}}`)) as RequestListener,
    "/unlinked/.well-known/openid-configuration": json({
      issuer: `${origin}/unlinked`,
      jwks_uri: { toString: 1 },
    }),
  });
});
afterAll(() => void server.close());

async function check(issuer: Record<string, unknown>, environment = "development") {
  const policy: Policy["issuers"] = [
    issuerSchema.parse({ issuer: "https://issuer.example", audience: "a", algorithms: ["ES256"], ...issuer }),
  ];
  return await checkIssuers(policy, environment);
}

describe("an issuer whose callers are refused is one mistake, in words", () => {
  test.each([
    ["/gone", "answers status 404: check the address"],
    ["/login", "answers status 403: the address must be public"],
    ["/broken", "answers status 500: look at the issuer's log"],
    ["/moved", "redirects to http://127.0.0.1:PORT/good (status 302), and the gateway follows no redirect"],
    ["/page", "does not answer JSON (content-type: text/html): check the address"],
    ["/long", "answers more than 65536 bytes"],
    ["/no-set", 'answers JSON without "keys"'],
    ["/none", "answers a key set that is empty"],
    ["/private", "has no key that can be used (keys[0]: is a private or symmetric key)"],
    ["/xml", "answers status 406: it has no answer of a type that the gateway asks for"],
    ["/off", "has no key that can be used (keys[0]: cannot be imported: its numbers are no key)"],
    ["/one", "has no key that can be used (keys[0]: is an RSA key with another exponent than 3, 17"],
    ["/future-alone", "has no key that can be used (keys[0]: is neither RSA nor EC nor OKP)"],
  ])("jwks_uri %s", async (path, words) => {
    const { mistakes } = await check({ jwks_uri: `${origin}${path}` });
    expect(mistakes).toHaveLength(1);
    expect(mistakes[0]).toMatch(
      /^issuers\[0\], https:\/\/issuer\.example: http:\/\/127\.0\.0\.1:\d+\/[^\n]*$/,
    );
    expect(mistakes[0]?.replace(`${new URL(origin).port}/good (`, "PORT/good (")).toContain(words);
  });

  test.each([
    ["/slash", /name the issuer http:\S+\/slash\/: write issuer = "http:\S+\/slash\/", to the letter/],
    ["/nowhere", /openid-configuration answers status 404/],
    ["/astray", /name the jwks_uri http:\/\/keys\.example\.com\/jwks\.json, which is not https/],
    ["/empty", /have no jwks_uri: give the address of its keys with jwks_uri/],
    ["/hostile", /name the issuer \[31mred: /],
    ["/object", /answers JSON that names no issuer: check the address/],
    ["/deep", /answers JSON that names no issuer: check the address/],
    ["/unlinked", /have no jwks_uri: give the address of its keys with jwks_uri/],
  ])("discovery of %s", async (path, words) => {
    const { mistakes } = await check({ issuer: `${origin}${path}`, discovery: true });
    expect(mistakes).toEqual([expect.stringMatching(words)]);
    // No control character of a stranger reaches the terminal.
    expect(mistakes.join("")).not.toMatch(/\p{Cc}/u);
  });

  test("no key is for one of the algorithms", async () => {
    const { mistakes } = await check({ jwks_uri: `${origin}/good`, algorithms: ["RS256", "PS256"] });
    expect(mistakes).toEqual([
      expect.stringContaining("none of its keys is for RS256, PS256; they are for ES256: correct algorithms"),
    ]);
  });
});

describe("an issuer that does not answer could not be tried, which is no mistake", () => {
  test("an answer that is cut", async () => {
    const { mistakes, untried } = await check({ jwks_uri: `${origin}/cut` });
    expect([mistakes, untried]).toEqual([[], [expect.stringContaining("/cut cannot be reached: ")]]);
  });

  test("a name without an address, and a port without a program", async () => {
    const unknown = await check({ jwks_uri: "https://no-such-host.invalid/jwks.json" }, "production");
    expect(unknown.mistakes).toEqual([]);
    expect(unknown.untried).toEqual([
      expect.stringMatching(/cannot be reached: There is no address for no-such-host\.invalid \(E[A-Z_]+\)/),
    ]);
    const closed = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => closed.once("listening", resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const refused = await check({ jwks_uri: `http://127.0.0.1:${port}/` });
    expect(refused.mistakes).toEqual([]);
    expect(refused.untried).toEqual([
      expect.stringContaining(`cannot be reached: No program listens on 127.0.0.1:${port} (ECONNREFUSED)`),
    ]);
  });
});

describe("TLS", () => {
  const asked = async (dns: string[], options: { notAfter?: Date } = {}, ca?: string) => {
    const authority = await createAuthority("issuer CA");
    const leaf = await authority.issue({ commonName: "issuer", dns, ...options });
    const secure = createTlsServer({ key: leaf.key, cert: leaf.certificate }, (_, response) =>
      response.end(JSON.stringify({ keys: [] })),
    );
    await new Promise<void>((resolve) => secure.listen(0, "127.0.0.1", resolve));
    try {
      const uri = `https://localhost:${(secure.address() as AddressInfo).port}/jwks`;
      return ca === undefined ? await check({ jwks_uri: uri }) : await trusting(authority.certificate, uri);
    } finally {
      secure.closeAllConnections();
      secure.close();
    }
  };

  test("a private CA", async () => {
    const { untried } = await asked(["localhost"]);
    expect(untried).toEqual([expect.stringMatching(/not trusted: no public CA has issued it \([A-Z_]+\)/)]);
  });

  test("a certificate of another host, and one that has expired", async () => {
    const trusted = "the CA";
    expect((await asked(["elsewhere.example"], {}, trusted)).untried).toEqual([
      expect.stringContaining("it is for another host (ERR_TLS_CERT_ALTNAME_INVALID)"),
    ]);
    const past = new Date(Date.now() - 60_000);
    expect((await asked(["localhost"], { notAfter: past }, trusted)).untried).toEqual([
      expect.stringContaining("it has expired (CERT_HAS_EXPIRED)"),
    ]);
  });

  test("plain HTTP on the port", async () => {
    const { untried } = await check({ jwks_uri: origin.replace("http:", "https:") });
    expect(untried).toEqual([
      expect.stringMatching(
        /https:\S+ does not speak TLS on this port \(ERR_SSL_\w+\), as a port for http does: name the port for https$/,
      ),
    ]);
  });
});

describe("an issuer that works is a note", () => {
  test("its keys are counted; a key that is not used, and an algorithm without a key, are warnings", async () => {
    expect(await check({ issuer: `${origin}/tenant`, discovery: true })).toEqual({
      mistakes: [],
      untried: [],
      warnings: [],
      notes: [`issuers[0], ${origin}/tenant: 1 key for ES256`],
    });
    expect(await check({ jwks_uri: `${origin}/both`, algorithms: ["ES256", "RS256"] })).toEqual({
      mistakes: [],
      untried: [],
      warnings: [],
      notes: ["issuers[0], https://issuer.example: 2 keys for ES256, RS256"],
    });
    const { mistakes, warnings } = await check({
      jwks_uri: `${origin}/some`,
      algorithms: ["ES256", "EdDSA"],
    });
    expect(mistakes).toEqual([]);
    expect(warnings).toEqual([
      expect.stringContaining("is not used: keys[1]: is a private or symmetric key"),
      expect.stringContaining("it has no key for EdDSA"),
    ]);
  });

  test.each([
    ["/edwards", ["EdDSA"], "2 keys for Ed25519, EdDSA"],
    ["/edwards", ["Ed25519"], "2 keys for Ed25519, EdDSA"],
    ["/edwards", ["Ed25519", "EdDSA"], "2 keys for Ed25519, EdDSA"],
    ["/p521", ["ES512"], "1 key for ES512"],
    ["/marked", ["ES256"], "1 key for ES256"],
    ["/choosy", ["ES256"], "1 key for ES256"],
  ])("%s with %s", async (path, algorithms, words) => {
    expect(await check({ jwks_uri: `${origin}${path}`, algorithms })).toEqual({
      mistakes: [],
      untried: [],
      warnings: [],
      notes: [`issuers[0], https://issuer.example: ${words}`],
    });
  });

  const off = "keys[0]: cannot be imported: its numbers are no key";
  const one = "keys[1]: is an RSA key with another exponent than 3, 17 and 65537 (e)";
  test.each([
    ["/off-beside", ["ES256"], [`used: ${off}`, `used: ${one}`]],
    ["/future", ["ES256"], ["used: keys[0]: is neither RSA nor EC nor OKP"]],
    [
      "/twins",
      ["ES256"],
      [
        'keys that are for none of algorithms are not used: "r" (RS256), one without kid (RSA)',
        'several keys have the same kid, and a token that names it is tried with each: " [31mtwin "',
      ],
    ],
    ["/odd", ["ES256"], ["for none of algorithms are not used: a kid that is no text (RS256)"]],
    [
      "/junk",
      ["ES256"],
      [
        ...Array.from(
          { length: limits.refusedKeysShown },
          (_, i) => `not used: keys[${i + 1}]: is not a JWK`,
        ),
        `not used: ${20_000 - limits.refusedKeysShown} more keys`,
      ],
    ],
    ["/crowd", ["ES256"], ["several keys have the same kid", "it has more than 16 keys for ES256"]],
  ])("while some tokens are good, the rest are warnings: %s", async (path, algorithms, words) => {
    const { mistakes, warnings } = await check({ jwks_uri: `${origin}${path}`, algorithms });
    expect(mistakes).toEqual([]);
    expect(warnings).toEqual(words.map((text) => expect.stringContaining(text)));
    expect(warnings.join("")).not.toMatch(/\p{Cc}/u);
  });

  test("an issuer with its keys in the policy is not asked", async () => {
    const { publicJwk } = await createSigningKey();
    const { notes, mistakes } = await check({ jwks: { keys: [publicJwk] } });
    expect([mistakes, notes.length]).toEqual([[], 1]);
  });
});

/** Asks in a process that trusts the CA: Node reads NODE_EXTRA_CA_CERTS once, at its start. */
async function trusting(ca: string, uri: string): Promise<{ untried: string[] }> {
  const { mkdtemp, writeFile } = await import("node:fs/promises");
  const { tmpdir } = await import("node:os");
  const { join } = await import("node:path");
  const path = join(await mkdtemp(join(tmpdir(), "tidegate-ca-")), "ca.pem");
  await writeFile(path, ca);
  const program = `
    const { checkIssuers } = await import(${JSON.stringify(new URL("../../../../cli/check/issuers.ts", import.meta.url).href)});
    const issuers = [{ issuer: "https://issuer.example", algorithms: ["ES256"], jwks_uri: ${JSON.stringify(uri)} }];
    console.log(JSON.stringify(await checkIssuers(issuers, "production")));`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", program], {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: path },
  });
  return JSON.parse(stdout);
}
