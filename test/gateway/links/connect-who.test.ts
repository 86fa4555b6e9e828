// Runs on mariadb only: who may use an account is the same question on every server.
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { exportJWK } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { developmentIssuer, refuseDevelopmentKey } from "../../../cli/project/development-key.ts";
import { readPolicyFile } from "../../../cli/project/project-file.ts";
import type { KeyServer } from "../../../servers/issuer/issuer.ts";
import { createSigningKey, mint, startKeyServer } from "../../../servers/issuer/issuer.ts";
import type { GatewayOptions } from "../support/harness.ts";
import { startGateway } from "../support/harness.ts";
import { address, ca, operator, password, policyIn, untouched } from "../support/operator.ts";

/** `tidegate connect` writes who may use the account, and the next commands work at once. */

const run = operator();
const { config, tidegate } = run;
const connect = (...args: string[]) =>
  run.connect([`mysql://connect_reader@${address()}/world`, ...ca, "--write", ...args], { secret: password });
const at = (name: string) => join(run.directory, name);

/** @returns the status of a statement of a caller with this token, at a gateway with the written policy */
async function ask(token: string, env = "production"): Promise<unknown> {
  const { accounts, issuers, grants } = readPolicyFile(env, run.directory) as Required<GatewayOptions>;
  const gateway = await startGateway({ accounts, issuers, grants, secrets: { READER_PASSWORD: password } });
  try {
    const response = await fetch(new URL("/v1/sql", gateway.url), {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ sql: "SELECT CURRENT_USER() AS me" }),
    });
    return response.status === 200
      ? ((await response.json()) as { rows: unknown[] }).rows[0]
      : response.status;
  } finally {
    await gateway.close();
  }
}

describe("without an issuer, a key of the project", () => {
  test("signs tokens that the gateway takes; check and accounts need no more", async () => {
    const first = await connect("--development-key");
    expect(first.status).toBe(0);
    expect(first.output).toContain("npm run token -- --env production");
    expect(policyIn(config())).toMatchObject({
      issuers: [
        {
          issuer: developmentIssuer,
          audience: "tidegate",
          jwks: "ca/production.development.jwks.json",
          algorithms: ["ES256"],
        },
      ],
      grants: [
        {
          issuer: developmentIssuer,
          claims: { role: "reader" },
          account: "reader",
          allow: ["query:*", "sql:read"],
        },
      ],
    });
    const file = at(".tidegate/keys/production.json");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const published = readFileSync(at("ca/production.development.jwks.json"), "utf8");
    expect(published).not.toContain('"d"');

    const checked = await tidegate("check", "--env", "production", "--database");
    expect(checked.output).toMatch(/^production: good\n/);
    expect(checked.output).toContain("WARNING: issuers: it accepts tokens of this project's own key");
    expect(checked.status).toBe(0);
    const accounts = await tidegate("accounts", "--env", "production", "--strict");
    expect(accounts.output).toContain("1 accounts, 0 refused, 0 warnings");
    expect(accounts.status).toBe(0);

    const deployed = await tidegate("deploy", "--env", "production");
    expect(deployed.status).toBe(2);
    expect(deployed.output).toContain(
      "Not deployed: [env.production] accepts tokens of this project's own key",
    );

    const token = await tidegate("token", "--env", "production");
    expect(token.status).toBe(0);
    expect(await ask(token.output.trim())).toEqual({ me: "connect_reader@%" });
    const other = await tidegate("token", "--env", "production", "--claim", "role=somebody");
    expect(await ask(other.output.trim())).toBe(403);

    // The key stays, so that tokens stay valid.
    const before = [readFileSync(file, "utf8"), published, config()];
    const again = await connect("--development-key");
    expect(again.output).toContain("is there already");
    expect([
      readFileSync(file, "utf8"),
      readFileSync(at("ca/production.development.jwks.json"), "utf8"),
      config(),
    ]).toEqual(before);
  });

  test("a checkout without the private half says what to do", async () => {
    await connect("--development-key");
    rmSync(at(".tidegate"), { recursive: true });
    const { status, output } = await tidegate("token", "--env", "production");
    expect(status).toBe(2);
    expect(output).toMatch(
      /^The project's own key is not in this checkout .*npm run connect -- --env production --development-key makes a new one\.\n$/,
    );
  });
});

describe("more for an environment that has some", () => {
  const issuer = "https://id.example.org/";
  const keysOf = async (algorithm: "ES256" | "RS256", file: string) => {
    const { publicJwk } = await createSigningKey(algorithm);
    writeFileSync(at(file), JSON.stringify({ keys: [publicJwk] }));
    return at(file);
  };

  test("an issuer takes the place of the key for trying, so nothing keeps deploy from it", async () => {
    await connect("--development-key");
    await connect("--development-key", "--account", "editor");
    const published = at("ca/production.development.jwks.json");
    expect(existsSync(published)).toBe(true);
    expect(() => refuseDevelopmentKey("production", policyIn(config()), "Not deployed")).toThrow(
      "connect -- --env production --issuer URL",
    );
    expect(policyIn(config()).grants).toHaveLength(2);
    const { status, output } = await connect("--issuer", issuer, "--jwks", await keysOf("ES256", "k.json"));
    expect(status).toBe(0);
    expect(output).toContain(`- issuer = "${developmentIssuer}"`);
    expect(output).toContain("  - ca/production.development.jwks.json\n");
    expect(output).toContain("Removed: ca/production.development.jwks.json.");
    expect(existsSync(published)).toBe(false);
    const policy = policyIn(config());
    expect(policy.issuers).toEqual([expect.objectContaining({ issuer })]);
    expect(policy.grants).toEqual([expect.objectContaining({ issuer, account: "reader" })]);
    expect(config()).not.toContain(developmentIssuer);
    expect(() => refuseDevelopmentKey("production", policy, "Not deployed")).not.toThrow();
  });

  test("another account has callers of its own: those of a grant that is there are refused", async () => {
    const keys = ["--issuer", issuer, "--jwks", await keysOf("ES256", "k.json")];
    expect((await connect(...keys)).status).toBe(0);
    const before = config();
    const same = await connect("--issuer", issuer, "--account", "writer", "--claim", "role=reader");
    expect(same.status).toBe(2);
    expect(same.output).toContain(
      "tidegate.toml: env.production.grants[0] gives these callers the account reader already, and they would have both: name the callers of writer with --claim NAME=VALUE.",
    );
    expect(config()).toBe(before);
    expect((await connect("--issuer", issuer, "--account", "writer")).status).toBe(0);
    expect(policyIn(config()).grants).toMatchObject([
      { claims: { role: "reader" }, account: "reader" },
      { claims: { role: "writer" }, account: "writer" },
    ]);
  });

  test("new keys of an issuer take the place of the old ones; other changes are made in the file", async () => {
    await connect("--issuer", issuer, "--jwks", await keysOf("ES256", "k.json"));
    const before = config();
    const file = at("ca/production.id.example.org.jwks.json");
    const next = await keysOf("ES256", "next.json");
    expect((await connect("--issuer", issuer, "--jwks", next)).status).toBe(0);
    expect(readFileSync(file, "utf8")).toBe(readFileSync(next, "utf8"));
    for (const [args, reason] of [
      [["--jwks", await keysOf("RS256", "rsa.json")], /has no RS256 in its algorithms/],
      [["--jwks", "https://id.example.org/keys"], /takes its keys from another place/],
      [["--audience", "new"], /has the audience tidegate: change it there/],
    ] as const) {
      const { status, output } = await connect("--issuer", issuer, ...args);
      expect(status).toBe(2);
      expect(output).toMatch(reason);
    }
    expect(config()).toBe(before);
    expect(readFileSync(file, "utf8")).toBe(readFileSync(next, "utf8"));
  });

  test("the key for trying keeps its audience and its grants", async () => {
    await connect("--development-key", "--audience", "shop", "--allow", "sql:read");
    const before = config();
    expect((await connect("--development-key", "--audience", "shop")).status).toBe(0);
    const { status, output } = await connect("--development-key", "--audience", "other");
    expect(status).toBe(2);
    expect(output).toContain("has the audience shop: change it there, or leave --audience out.");
    expect(config()).toBe(before);
  });
});

describe("an issuer on the network", () => {
  let issuer: KeyServer;
  let key: Awaited<ReturnType<typeof createSigningKey>>;
  beforeAll(async () => {
    key = await createSigningKey("ES256");
    issuer = await startKeyServer([key.publicJwk]);
  });
  afterAll(() => issuer.stop());

  // Only in development the address may be http.
  const env = ["--env", "development"];

  test("is asked for its metadata and its keys", async () => {
    writeFileSync(at("tidegate.toml"), "version = 1\n");
    const { status, output } = await connect(
      ...env,
      "--issuer",
      issuer.url,
      "--audience",
      "shop",
      "--claim",
      "team=a b",
    );
    expect(output).toContain(`The issuer ${issuer.url}: its metadata name its keys, 1 key for ES256.`);
    expect(status).toBe(0);
    const token = await mint(key, { iss: issuer.url, aud: "shop", sub: "x", team: "a b" });
    expect(await ask(token, "development")).toEqual({ me: "connect_reader@%" });
  });

  test.each([
    ["that is not there", ["--issuer", "http://127.0.0.1:65533"], /No program listens on 127\.0\.0\.1:65533/],
    ["without TLS elsewhere", ["--issuer", "http://id.example.org/"], /is no https address/],
    [
      "with another address for its keys",
      ["--issuer", "urn:x", "--jwks", "http://127.0.0.1:65533/k"],
      /No program listens/,
    ],
  ])("%s is told in one line, and nothing is written", async (_, args, reason) => {
    const { status, output } = await connect(...env, ...args);
    expect(status).toBe(2);
    expect(output).toMatch(reason);
    expect(config()).toBe(untouched);
    expect(existsSync(at("ca"))).toBe(false);
  });
});

describe("an issuer whose keys are in a file", () => {
  test("is written with the file", async () => {
    const key = await createSigningKey("RS256");
    writeFileSync(at("keys.json"), JSON.stringify({ keys: [key.publicJwk] }));
    const args = [
      "--issuer",
      "https://id.example.org/realms/x",
      "--jwks",
      at("keys.json"),
      "--audience",
      "shop",
    ];
    const { status } = await connect(...args, "--allow", "sql:read");
    expect(status).toBe(0);
    expect(policyIn(config()).issuers).toEqual([
      {
        issuer: "https://id.example.org/realms/x",
        audience: "shop",
        jwks: "ca/production.id.example.org-realms-x.jwks.json",
        algorithms: ["RS256"],
      },
    ]);
    const token = await mint(key, { iss: "https://id.example.org/realms/x", aud: "shop", role: "reader" });
    expect(await ask(token)).toEqual({ me: "connect_reader@%" });
  });

  test("with a private key is refused", async () => {
    const { privateKey } = await createSigningKey("ES256");
    writeFileSync(at("keys.json"), JSON.stringify({ keys: [await exportJWK(privateKey)] }));
    const { status, output } = await connect("--issuer", "https://x.example.org", "--jwks", at("keys.json"));
    expect(status).toBe(2);
    expect(output).toMatch(/The file of --jwks \(.*keys\.json\) has a private key \(keys\[0\]\)/);
    expect(config()).toBe(untouched);
  });
});

test.each([
  ["--jwks without --issuer", ["--jwks", "x.json"], /go with --issuer URL/],
  ["a key and an issuer", ["--development-key", "--issuer", "https://x"], /leave one out/],
  ["a claim of nobody", ["--claim", "role=x"], /Whose tokens\? Give --issuer URL/],
  ["a claim without a value", ["--claim", "role"], /role=reader/],
  ["an unknown permission", ["--allow", "sql:everything"], /must be query:NAME/],
])("%s is refused in words", async (_, args, reason) => {
  const { status, output } = await connect(...args);
  expect(status).toBe(2);
  expect(output).toMatch(reason);
  expect(config()).toBe(untouched);
});

describe("nothing is half written", () => {
  test.each([
    ["a tidegate.toml that is no TOML", "version = 1\nx = ", /^tidegate\.toml:2:\d+: /],
    ["a tidegate.toml of another format", "version = 2\n", /^tidegate\.toml: version must be 1, /],
    ["inline tables", 'version = 1\nenv.production = { cluster = { engine = "mysql" } }\n', /inline tables/],
  ])("%s", async (_, text, reason) => {
    writeFileSync(at("tidegate.toml"), text);
    const { status, output } = await connect("--development-key");
    expect(status).toBe(2);
    expect(output).toMatch(reason);
    expect(output.trim().split("\n")).toHaveLength(1);
    expect(config()).toBe(text);
  });

  test("a folder in the place of a file", async () => {
    mkdirSync(at("ca/production.pem"), { recursive: true });
    const { status, output } = await connect("--development-key");
    expect(status).toBe(2);
    expect(output).toContain("production.pem");
    expect(config()).toBe(untouched);
    expect(existsSync(at(".dev.vars.production"))).toBe(false);
  });

  // Root may write everywhere.
  test.skipIf(process.getuid?.() === 0)("no rights on the folder", async () => {
    chmodSync(run.directory, 0o500);
    try {
      const { status, output } = await connect("--development-key");
      expect(status).toBe(2);
      expect(output).toContain("no rights on");
      expect(output).toContain("Nothing was written.");
    } finally {
      chmodSync(run.directory, 0o700);
    }
  });
});
