import { parse } from "smol-toml";
import { describe, expect, test } from "vitest";
import { editToml } from "../../../../cli/connect/toml.ts";

const cluster = ["env", "production", "cluster"];
const reader = ["env", "production", "accounts", "reader"];
const issuers = ["env", "production", "issuers"];
const grants = ["env", "production", "grants"];

const file = `# A project.
version = 1

# Put your cluster here.
# In Europe.
[env.production.cluster]
engine = "mysql" # which
hosts = [
  "db.example.com:3306", # first
]
location = "weur"

# the first
[env.production.accounts.analyst]
user = "gw_analyst"

# the second
[env.production.accounts.editor]
user = "gw_editor"

[env.production.accounts.editor.token]
key = "EDITOR_KEY"

# whose tokens
[[env.production.issuers]]
issuer = "https://id.example.com/"

[[env.production.grants]]
account = "editor"
[[env.production.grants]]
account = "analyst"

[env.production.worker] # wrangler's
name = "shop"

# another one
[env.staging.cluster]
engine = "tidb" # keep
`;

describe("keys of a table", () => {
  test("are set in their lines; the rest of the text stays", () => {
    const { text, summary } = editToml(file, {
      set: [
        { path: cluster, keys: { engine: "mariadb", hosts: ["h:1"], ca: "ca/x.pem", location: undefined } },
      ],
    });
    expect(text).toBe(
      file
        .replace('engine = "mysql" # which', 'engine = "mariadb"')
        .replace(/hosts = \[[\s\S]*?\]\n/, 'hosts = ["h:1"]\n')
        .replace('location = "weur"\n', 'ca = "ca/x.pem"\n'),
    );
    expect(summary).toEqual([
      "[env.production.cluster]",
      '- engine = "mysql" # which',
      '+ engine = "mariadb"',
      "- hosts = [",
      '-   "db.example.com:3306", # first',
      "- ]",
      '+ hosts = ["h:1"]',
      '+ ca = "ca/x.pem"',
      '- location = "weur"',
    ]);
  });

  test("with their values already change nothing", () => {
    const set = [{ path: cluster, keys: { hosts: ["db.example.com:3306"], ca: undefined } }];
    expect(editToml(file, { set })).toEqual({ text: file, summary: [] });
  });

  test("a comment above that is no longer true goes", () => {
    const { text } = editToml(file, {
      set: [{ path: cluster, keys: { engine: "tidb" }, forget: /Put your/ }],
    });
    expect(text).toContain("version = 1\n\n# In Europe.\n[env.production.cluster]\n");
  });

  test("of a new table stand behind the tables before it", () => {
    const { text } = editToml(file, { set: [{ path: reader, keys: { user: "u", password: "P" } }] });
    expect(text).toContain(
      'key = "EDITOR_KEY"\n\n[env.production.accounts.reader]\nuser = "u"\npassword = "P"\n\n# whose tokens\n',
    );
  });

  test("of a new environment stand at the end, in order", () => {
    const path = (...rest: string[]) => ["env", "new", ...rest];
    const { text } = editToml(file, {
      set: [
        { path: path("cluster"), keys: { engine: "mysql" } },
        { path: path("accounts", "cluster"), keys: { user: "u" } },
      ],
      append: [
        { path: path("issuers"), keys: { issuer: "i" } },
        { path: path("grants"), keys: { claims: { "https://x/role": "a" }, allow: ["x", "y"] } },
      ],
    });
    expect(text).toBe(
      `${file}\n[env.new.cluster]\nengine = "mysql"\n\n[env.new.accounts.cluster]\nuser = "u"\n\n[[env.new.issuers]]\nissuer = "i"\n\n[[env.new.grants]]\nclaims = { "https://x/role" = "a" }\nallow = ["x", "y"]\n`,
    );
  });

  test("fill an empty file", () => {
    expect(editToml("", { set: [{ path: cluster, keys: { engine: "mysql" } }] }).text).toBe(
      '[env.production.cluster]\nengine = "mysql"\n',
    );
  });

  test("may have every character", () => {
    const user = 'a"b\\c\n[x]\nd = 1';
    const { text } = editToml(file, { set: [{ path: reader, keys: { user } }] });
    expect(parse(text)).toMatchObject({ env: { production: { accounts: { reader: { user } } } } });
  });
});

describe("tables", () => {
  test("go with what is below them and with their comments", () => {
    const { text, summary } = editToml(file, {
      remove: [["env", "production", "accounts"], issuers, grants, ["env", "production", "docs"]],
    });
    expect(text).toBe(
      file.slice(0, file.indexOf("# the first")) + file.slice(file.indexOf("[env.production.worker]")),
    );
    expect(summary).toEqual([
      "- [env.production.accounts.analyst]",
      "- [env.production.accounts.editor]",
      "- [env.production.accounts.editor.token]",
      "- [[env.production.issuers]]",
      "- [[env.production.grants]]",
      "- [[env.production.grants]]",
    ]);
  });

  test("of an array are added behind those that are there", () => {
    const { text } = editToml(file, { append: [{ path: grants, keys: { account: "reader" } }] });
    expect(text).toContain(
      'account = "analyst"\n\n[[env.production.grants]]\naccount = "reader"\n\n[env.production.worker]',
    );
  });

  test("may go and come again in one change", () => {
    const { text } = editToml(file, {
      remove: [["env", "production", "accounts"], issuers, grants],
      set: [{ path: reader, keys: { user: "u" } }],
      append: [{ path: grants, keys: { account: "reader" } }],
    });
    expect(parse(text)).toMatchObject({
      version: 1,
      env: {
        production: {
          accounts: { reader: { user: "u" } },
          grants: [{ account: "reader" }],
          worker: { name: "shop" },
        },
      },
    });
    expect(text).not.toContain("analyst");
  });
});

describe("elements of an array of tables", () => {
  const more = file
    .replace(
      'account = "editor"\n[[',
      'account = "editor"\n# of the editor\n\n# of all\n\n# of the analyst\n[[',
    )
    .replace(
      "\n[env.production.worker]",
      "\n[env.production.grants.claims]\nrole = 1\n\n[env.production.worker]",
    );

  test("go one by one, with their own comments and the tables below them", () => {
    const first = editToml(more, { drop: [{ path: grants, isGone: ({ account }) => account === "editor" }] });
    expect(first.text).toBe(
      more.replace('[[env.production.grants]]\naccount = "editor"\n# of the editor\n\n', ""),
    );
    expect(first.summary).toEqual(["- [[env.production.grants]]", '- account = "editor"']);
    const second = editToml(more, {
      drop: [{ path: grants, isGone: ({ account }) => account === "analyst" }],
    });
    expect(second.text).toBe(more.replace(/# of the analyst\n[\s\S]*?(?=\[env\.production\.worker)/, ""));
    expect(second.summary).toEqual([
      "- [[env.production.grants]]",
      '- account = "analyst"',
      "- [env.production.grants.claims]",
      "- role = 1",
    ]);
  });

  test("go all, and others come", () => {
    const { text } = editToml(`${file}\n[[env.staging.grants]]\naccount = "x"\n`, {
      drop: [
        { path: issuers, isGone: () => true },
        { path: grants, isGone: () => true },
        { path: ["env", "staging", "grants"], isGone: () => true },
        { path: ["env", "other", "grants"], isGone: () => true },
      ],
      append: [{ path: issuers, keys: { issuer: "i" } }],
    });
    expect(text).toBe(
      file.replace(
        /# whose tokens[\s\S]*?(?=\[env\.production\.worker)/,
        '[[env.production.issuers]]\nissuer = "i"\n\n',
      ),
    );
  });
});

test("a file with CRLF is changed as one with LF, and keeps its line ends", () => {
  const crlf = (text: string) => text.replaceAll("\n", "\r\n");
  const change = {
    remove: [["env", "production", "accounts"]],
    drop: [{ path: grants, isGone: ({ account }: Record<string, unknown>) => account === "editor" }],
    set: [{ path: cluster, keys: { engine: "tidb", hosts: ["h:1"] } }],
    append: [{ path: grants, keys: { account: "reader" } }],
  };
  const { text, summary } = editToml(file, change);
  expect(editToml(crlf(file), change)).toEqual({ text: crlf(text), summary });
});

describe("a file that cannot be changed in place is refused", () => {
  test.each([
    ["an inline table", 'env.production = { cluster = { engine = "mysql" } }\n'],
    ["dotted keys", 'env.production.cluster.engine = "mysql"\n'],
    ["an inline environment", 'env = { production = { cluster = { engine = "mysql" } } }\n'],
    ["an inline array", '[env.production]\ngrants = [{ account = "a" }]\n'],
    [
      "text that looks like a table",
      'x = """\n[env.production.cluster]\nengine = "mysql"\n"""\n[env.production.cluster]\nengine = "mysql"\n',
    ],
    ["no TOML", "[env.production"],
  ])("%s", (_, text) => {
    const set = [{ path: cluster, keys: { engine: "mariadb" } }];
    const append = [{ path: grants, keys: { account: "reader" } }];
    expect(() => editToml(text, { set, append })).toThrow();
  });
});
