import { parse } from "smol-toml";
import { describe, expect, test } from "vitest";
import type { Found } from "../../../../cli/connect/check.ts";
import type { Result, Target } from "../../../../cli/connect/policy.ts";
import { partsOf, withResult } from "../../../../cli/connect/policy.ts";
import type { ConnectionString } from "../../../../cli/connect/strings/parse.ts";
import { parsePolicy } from "../../../../src/config/policy.ts";

/** The result of a check of a server with a public certificate. The certificate itself is only printed. */
const result: Result = {
  connection: {
    form: "a URL",
    hosts: [{ hostname: "db.example.org", port: 4000 }],
    user: "gw_reader",
    password: "hidden",
    database: "shop",
    engineHint: undefined,
    tlsMin: "TLSv1.2",
    tlsMax: "TLSv1.2",
    caPath: undefined,
    needsCa: false,
    notes: [],
  } satisfies ConnectionString as ConnectionString,
  database: "shop",
  ca: undefined,
  token: undefined,
  found: { engine: "mysql", account: "reader@%", proxied: true } as Found,
  who: undefined,
};
const issuer = {
  issuer: "https://id.example.org/",
  audience: "shop",
  discovery: true,
  algorithms: ["ES256"],
};
const who = {
  issuer,
  grant: { issuer: issuer.issuer, claims: { role: "x" }, account: "reader", allow: ["query:*", "sql:read"] },
  gone: undefined,
  files: [],
};

const production: Target = { env: "production", account: "reader" };

/** An environment that someone uses. */
const used = `version = 1

# ours
[env.production.cluster]
engine = "mysql"
hosts = ["db.example.net:3306"]
database = "world"
location = "weur"
link = "platform"
trust = "public"

[env.production.accounts.analyst]
user = "gw_analyst"
password = "ANALYST_PASSWORD"

[[env.production.issuers]]
issuer = "https://id.example.net/"
audience = "tidegate"
discovery = true
algorithms = ["ES256"]

[[env.production.grants]]
issuer = "https://id.example.net/"
account = "analyst"
allow = ["sql:read"]
`;
const template = `${used
  .replace("# ours", "# A template: put your cluster here.")
  .replaceAll("example.net", "example.com")}
[env.production.docs]
issuer = "https://id.example.com/"
client_id = "docs"

# for wrangler
[env.production.worker]
name = "shop"
`;

const environment = (text: string, { env }: Target) =>
  (parse(text) as { env: Record<string, Record<string, unknown>> }).env[env] ?? {};

/** @returns the policy, if the gateway accepts it */
function accepted(text: string, target: Target) {
  const { worker: _, ...policy } = environment(text, target);
  return parsePolicy(policy, target.env, []);
}

describe("the result of a check becomes a policy that the gateway accepts", () => {
  test("in a file without environments", () => {
    const { text, secret } = withResult({ env: "eu-west", account: "reader" }, "version = 1\n", {
      ...result,
      who,
    });
    expect(accepted(text, { env: "eu-west", account: "reader" })).toMatchObject({
      cluster: { engine: "mysql", hosts: [{ hostname: "db.example.org", port: 4000 }], database: "shop" },
      accounts: { reader: { user: "gw_reader", password: "READER_PASSWORD", acts_as: "reader@%" } },
      issuers: [{ ...issuer, audience: ["shop"] }],
      grants: [who.grant],
    });
    expect(secret).toBe("READER_PASSWORD");
    expect(text).not.toContain("hidden");
  });

  test("and keeps what stands there, with the comments", () => {
    const target = { ...production, account: "new-reader" };
    const { text, secret } = withResult(target, used, result);
    const policy = accepted(text, target);
    expect(policy.cluster).toMatchObject({ link: "platform", trust: "public", location: "weur" });
    expect(policy.accounts).toMatchObject({
      analyst: { user: "gw_analyst" },
      "new-reader": { user: "gw_reader", password: "NEW_READER_PASSWORD", acts_as: "reader@%" },
    });
    expect(policy.grants).toHaveLength(1);
    expect(secret).toBe("NEW_READER_PASSWORD");
    expect(text).toContain("# ours");
    expect(text).toContain(used.slice(used.indexOf("[[env.production.issuers]]")));
  });

  test("with a private CA, it names versions and file; without it, they are removed", () => {
    const target = { ...production, account: "analyst" };
    const own = withResult(target, used, { ...result, ca: "PEM" });
    expect(accepted(own.text, target).cluster).toMatchObject({
      link: "rustls",
      trust: "bundle",
      ca: "ca/production.pem",
      tls_min: "TLSv1.2",
      tls_max: "TLSv1.2",
    });
    // The secret keeps its name.
    expect(own.secret).toBe("ANALYST_PASSWORD");
    const again = withResult(target, own.text, result);
    expect(Object.keys(environment(again.text, target).cluster as object).sort()).toEqual([
      "database",
      "engine",
      "hosts",
      "link",
      "location",
      "trust",
    ]);
  });

  test("an IPv6 address is written in brackets", () => {
    const connection: ConnectionString = { ...result.connection, hosts: [{ hostname: "::1", port: 1 }] };
    const { text } = withResult(production, used, { ...result, connection });
    expect(environment(text, production).cluster).toMatchObject({ hosts: ["[::1]:1"] });
  });
});

describe("the parts of a template", () => {
  test("go: its accounts, issuers, grants, page and advice; the Worker's settings stay", () => {
    const { text, summary } = withResult(production, template, { ...result, who });
    const { cluster, ...rest } = environment(text, production);
    expect(cluster).toMatchObject({ hosts: ["db.example.org:4000"], location: "weur" });
    expect(rest).toEqual({
      accounts: { reader: { user: "gw_reader", password: "READER_PASSWORD", acts_as: "reader@%" } },
      issuers: [issuer],
      grants: [who.grant],
      worker: { name: "shop" },
    });
    expect(text).not.toMatch(/template|example\.com/);
    expect(text).toContain("# for wrangler");
    expect(summary).toContain("- [env.production.accounts.analyst]");
    expect(partsOf(text, "production").template).toEqual([]);
  });

  test.each([
    ["a host of one's own", template.replace("db.example.com", "db.example.net")],
    ["a host with such an ending", template.replace("db.example.com", "db.notexample.com")],
    ["an issuer of one's own", template.replaceAll("id.example.com", "id.example.net")],
  ])("stay where it has %s", (_, text) => {
    expect(partsOf(text, "production").template).toEqual([]);
    expect(environment(withResult(production, text, result).text, production).grants).toHaveLength(1);
  });

  test("of another environment stay", () => {
    const { text } = withResult({ env: "staging", account: "reader" }, template, result);
    expect(environment(text, production)).toEqual(environment(template, production));
  });
});

test("the issuer for trying goes with its grants where another one comes", () => {
  const own = "urn:tidegate:development-key";
  const trying = {
    issuer: { issuer: own, audience: "tidegate", jwks_uri: "https://x.example.org/", algorithms: ["ES256"] },
    grant: { issuer: own, claims: { role: "x" }, account: "analyst", allow: ["query:*"] },
    gone: undefined,
    files: [],
  };
  const both = withResult(production, used, { ...result, who: trying });
  expect(accepted(both.text, production).issuers).toHaveLength(2);
  const { text, summary } = withResult(production, both.text, { ...result, who: { ...who, gone: own } });
  const policy = accepted(text, production);
  expect(policy.issuers.map(({ issuer }) => issuer)).toEqual(["https://id.example.net/", issuer.issuer]);
  expect(policy.grants.map(({ account }) => account)).toEqual(["analyst", "reader"]);
  expect(summary).toContain(`- issuer = "${own}"`);
  expect(text).not.toContain(own);
});

describe("an account with a token", () => {
  const found = { engine: "tidb", account: "gw_reader@%", proxied: false } as Found;
  const token = { key: "{}", algorithm: "RS256", issuer: 'a"b\\c' } as const;
  const base = `[env.production.cluster]\nengine = "tidb"\n\n[env.production.accounts.reader]\nuser = "gw_reader"\n`;
  const accountsOf = (text: string) => environment(text, production).accounts;

  test("has no password any more, nor the settings for sending it", () => {
    const before = `${base}password = "READER_PASSWORD" # the old one\nplugin = "mysql_clear_password"\ncleartext = true\n`;
    const { text, summary, secret } = withResult(production, before, { ...result, found, token });
    expect(secret).toBe("READER_TOKEN_KEY");
    expect(summary).toContain('+ token = { key = "READER_TOKEN_KEY", issuer = "a\\"b\\\\c" }');
    expect(accountsOf(text)).toEqual({
      reader: { user: "gw_reader", token: { key: "READER_TOKEN_KEY", issuer: token.issuer } },
    });
  });

  test("keeps its secret's name, and other members are replaced", () => {
    const before = `${base}token = { key = "OWN_KEY", email = "a@example.com" }\n`;
    const es384 = { key: "{}", algorithm: "ES384", email: "b@example.com" } as const;
    const { text } = withResult(production, before, { ...result, found, token: es384 });
    expect(text).toContain('token = { key = "OWN_KEY", algorithm = "ES384", email = "b@example.com" }\n');
  });

  test("keeps a separate table with the same content", () => {
    const before = `${base}\n[env.production.accounts.reader.token]\nkey = "OWN_KEY"\nissuer = 'a"b\\c'\n`;
    const { text } = withResult(production, before, { ...result, found, token });
    expect(text).toContain("[env.production.accounts.reader.token]");
    expect(text).not.toContain("token = {");
  });

  test("loses the token with a password", () => {
    const before = `${base}token = { key = "OWN_KEY" }\n`;
    const { text } = withResult(production, before, { ...result, found });
    expect(accountsOf(text)).toEqual({ reader: { user: "gw_reader", password: "READER_PASSWORD" } });
  });
});
