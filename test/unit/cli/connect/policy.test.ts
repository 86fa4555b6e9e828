import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "smol-toml";
import { describe, expect, test } from "vitest";
import type { Found } from "../../../../cli/connect/check.ts";
import type { Change } from "../../../../cli/connect/policy.ts";
import { editPolicy as editProject } from "../../../../cli/connect/policy.ts";
import type { ConnectionString } from "../../../../cli/connect/strings/parse.ts";
import type { Result } from "../../../../cli/connect/write.ts";
import { withResult as withResultIn } from "../../../../cli/connect/write.ts";
import { readCatalog } from "../../../../cli/project/application.ts";
import { projectRoot } from "../../../../cli/project/paths.ts";
import { parsePolicy } from "../../../../src/config/policy.ts";

/** The result of a check of a server with a public certificate. The certificate itself is only printed. */
const result = {
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
  token: undefined,
  found: { engine: "mysql", account: "reader@%", proxied: true } as Found,
};

/** Puts the tables of a policy under `[env.NAME]`. */
function under(env: string, text: string): string {
  return text.replace(/^(\[\[?)(?=cluster|accounts|issuers|grants|x\])/gm, `$1env.${env}.`);
}

/** The reverse: the policy of one environment reads as if it was a file of its own. */
function without(env: string, text: string): string {
  return text.replaceAll(`[env.${env}.`, "[");
}

const [, production = ""] = readFileSync(join(projectRoot(), "tidegate.toml"), "utf8").split(
  /(?=# A template.*production)/,
);
/** The policy alone: not the settings of the Worker, which stand behind it. */
const template = without("production", production.split("\n# WALL:")[0] ?? "");

type Edit = Omit<Change, "env">;

function editPolicy(text: string, change: Edit): { text: string; summary: string[] } {
  const edited = editProject(under("production", text), { env: "production", ...change });
  return {
    text: without("production", edited.text),
    summary: edited.summary.map((line) => without("production", line)),
  };
}

function withResult(target: { env: string; account: string }, { text }: { text: string }, found: Result) {
  const { accounts = {} } = parse(text) as { accounts?: Record<string, Record<string, unknown>> };
  const edited = withResultIn(target, { text: under(target.env, text), accounts }, found);
  return { ...edited, text: without(target.env, edited.text) };
}

function change(cluster: Edit["cluster"], login: Edit["login"] = {}, account = "analyst"): Edit {
  return { cluster, account, login };
}

describe("a change of the policy", () => {
  test("changes only the necessary lines", () => {
    const { text, summary } = editPolicy(template, change({ link: "rustls", ca: "ca/x.pem" }, { user: "r" }));
    const lines = template.split("\n");
    lines.splice(lines.indexOf('link = "platform"'), 1, 'link = "rustls"');
    lines.splice(lines.findIndex((line) => line.startsWith("trust =")) + 1, 0, 'ca = "ca/x.pem"');
    lines.splice(lines.indexOf('user = "gw_analyst"'), 1, 'user = "r"');
    expect(text).toBe(lines.join("\n"));
    expect(summary).toEqual([
      "[cluster]",
      '- link = "platform"',
      '+ link = "rustls"',
      '+ ca = "ca/x.pem"',
      "[accounts.analyst]",
      '- user = "gw_analyst"',
      '+ user = "r"',
    ]);
  });

  test("without effect reports nothing", () => {
    const same = change(
      { engine: "mysql", hosts: ["db.example.com:3306"], ca: undefined },
      { user: "gw_analyst" },
    );
    expect(editPolicy(template, same)).toEqual({ text: template, summary: [] });
  });

  test("removes a key, with the comment after it", () => {
    const { text } = editPolicy(template, change({ trust: undefined }));
    expect(text).not.toContain("public CA");
    expect(text).toContain("# A template:");
  });

  test("puts a new account after the others", () => {
    const { text } = editPolicy(template, change({}, { user: "r", password: "R" }, "reader"));
    expect(text).toMatch(
      /acts_as = "editor@%"\n\n\[accounts\.reader\]\nuser = "r"\npassword = "R"\n\n\[\[issuers\]\]/,
    );
  });

  test("replaces a list over several lines, and keeps comments between", () => {
    const text =
      '[cluster]\n# the host\nhosts = [\n  "a:1", # first\n  "[b]:2",\n]\n# below\nengine = "mysql"\n\n# next\n[x]\n';
    const edited = editPolicy(text, change({ hosts: ["c:3"], database: "d" }, { user: "u" }));
    expect(edited.text).toMatch(
      /^\[cluster\]\n# the host\nhosts = \[ ?"c:3" ?\]\n# below\nengine = "mysql"\ndatabase = "d"\n\n\[accounts\.analyst\]\nuser = "u"\n\n# next\n\[x\]\n$/,
    );
  });

  test("fills an empty file", () => {
    const { text } = editPolicy("", change({ engine: "mysql" }, { user: "u" }));
    expect(parse(text)).toEqual({ cluster: { engine: "mysql" }, accounts: { analyst: { user: "u" } } });
  });

  test("escapes special characters in a name", () => {
    const login = { user: 'a"b\\c\n[x]\nd = 1' };
    expect(parse(editPolicy(template, change({}, login)).text)).toMatchObject({
      accounts: { analyst: login },
    });
  });

  test.each([
    ["an inline table", '[env.production]\ncluster = { engine = "mysql" }\n'],
    ["dotted keys", '[env.production]\ncluster.engine = "mysql"\n'],
    ["dotted keys at the top", 'env.production.cluster.engine = "mysql"\n'],
    ["an inline account", '[env.production]\naccounts = { analyst = { user = "u" } }\n'],
    [
      "text that looks like a section",
      'x = """\n[cluster]\nengine = "mysql"\n"""\n[cluster]\nengine = "mysql"\n',
    ],
  ])("is refused for %s", (_, text) => {
    expect(() => editPolicy(text, change({ engine: "mariadb" }, { user: "v" }))).toThrow();
  });

  test("of a file that is not TOML is refused", () => {
    expect(() => editPolicy("[cluster", change({ engine: "mysql" }))).toThrow();
  });
});

describe("the result of a check becomes a policy", () => {
  const policyFile = (text: string) => ({ text, accounts: (parse(text).accounts ?? {}) as never });

  test("that the gateway accepts, with the public CAs", () => {
    const target = { env: "production", account: "new-reader" };
    const { text, secret } = withResult(target, policyFile(template), { ...result, ca: undefined });
    const policy = parsePolicy(parse(text), "production", readCatalog());
    expect(policy.cluster).toMatchObject({
      engine: "mysql",
      hosts: [{ hostname: "db.example.org", port: 4000 }],
      database: "shop",
      link: "platform",
      trust: "public",
      location: "weur",
    });
    expect(policy.accounts["new-reader"]).toMatchObject({
      user: "gw_reader",
      password: "NEW_READER_PASSWORD",
      acts_as: "reader@%",
    });
    expect(secret).toBe("NEW_READER_PASSWORD");
    expect(text).not.toContain("hidden");
  });

  test("with a private CA, it names versions and file; without it, they are removed", () => {
    const target = { env: "staging", account: "analyst" };
    const own = withResult(target, policyFile(template), { ...result, ca: "PEM" });
    // The gateway accepts the result.
    expect(parsePolicy(parse(own.text), "staging", readCatalog()).cluster).toMatchObject({
      link: "rustls",
      trust: "bundle",
      ca: "ca/staging.pem",
      tls_min: "TLSv1.2",
      tls_max: "TLSv1.2",
    });
    // The secret keeps its name.
    expect(own.secret).toBe("ANALYST_PASSWORD");
    const again = withResult(target, policyFile(own.text), { ...result, ca: undefined });
    expect(Object.keys(parse(again.text).cluster as object).sort()).toEqual([
      "database",
      "engine",
      "hosts",
      "link",
      "location",
      "trust",
    ]);
  });

  describe("of an account with a token", () => {
    const found = { engine: "tidb", account: "gw_reader@%", proxied: false } as Found;
    const token = { key: "{}", algorithm: "RS256", issuer: 'a"b\\c' } as const;
    const target = { env: "production", account: "reader" };
    const base = '[cluster]\nengine = "tidb"\n\n[accounts.reader]\nuser = "gw_reader"\n';

    test("its password is removed, with the settings for sending it", () => {
      const before = `${base}password = "READER_PASSWORD" # the old one\nplugin = "mysql_clear_password"\ncleartext = true\n`;
      const { text, summary, secret } = withResult(target, policyFile(before), {
        ...{ ...result, found, token, ca: undefined },
      });
      expect(secret).toBe("READER_TOKEN_KEY");
      expect(summary).toContain('+ token = { key = "READER_TOKEN_KEY", issuer = "a\\"b\\\\c" }');
      expect(parse(text).accounts).toEqual({
        reader: { user: "gw_reader", token: { key: "READER_TOKEN_KEY", issuer: token.issuer } },
      });
    });

    test("its secret keeps its name, and other members are replaced", () => {
      const before = `${base}token = { key = "OWN_KEY", email = "a@example.com" }\n`;
      const es384 = { key: "{}", algorithm: "ES384", email: "b@example.com" } as const;
      const { text } = withResult(target, policyFile(before), {
        ...result,
        found,
        token: es384,
        ca: undefined,
      });
      expect(text).toContain('token = { key = "OWN_KEY", algorithm = "ES384", email = "b@example.com" }\n');
    });

    test("a separate table with the same content stays", () => {
      const before = `${base}\n[accounts.reader.token]\nkey = "OWN_KEY"\nissuer = 'a"b\\c'\n`;
      const { text } = withResult(target, policyFile(before), { ...result, found, token, ca: undefined });
      expect(text).toContain("[accounts.reader.token]");
      expect(text).not.toContain("token = {");
    });

    test("with a password again, the token is removed", () => {
      const before = `${base}token = { key = "OWN_KEY" }\n`;
      const { text } = withResult(target, policyFile(before), { ...result, found, ca: undefined });
      expect(parse(text).accounts).toEqual({ reader: { user: "gw_reader", password: "READER_PASSWORD" } });
    });
  });

  test("an IPv6 address is written in brackets", () => {
    const connection: ConnectionString = { ...result.connection, hosts: [{ hostname: "::1", port: 1 }] };
    const target = { env: "production", account: "analyst" };
    const { text } = withResult(target, policyFile(template), { ...result, connection, ca: undefined });
    expect(parse(text).cluster).toMatchObject({ hosts: ["[::1]:1"] });
  });
});
