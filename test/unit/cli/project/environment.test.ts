import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "smol-toml";
import { describe, expect, test } from "vitest";
import { makeApplication, readPolicyFile } from "../../../../cli/project/application.ts";
import {
  assetsMistakes,
  checkEnvironment,
  environments,
  hyperdriveMistakes,
  serverWarnings,
  wranglerMistakes,
} from "../../../../cli/project/environment.ts";
import type { WranglerFile } from "../../../../cli/project/wrangler.ts";
import { readWranglerFile } from "../../../../cli/project/wrangler.ts";
import { parseQuery } from "../../../../src/catalog/parse.ts";
import { ConfigError } from "../../../../src/config/policy.ts";
import type { Grant } from "../../../../src/config/schema.ts";

/** A valid wrangler.toml with one environment; a new copy for each call. */
function good() {
  return {
    name: "tidegate",
    exports: {
      Pool: { type: "durable-object", storage: "sqlite" },
      Keys: { type: "durable-object", storage: "sqlite" },
      Limiter: { type: "durable-object", storage: "sqlite" },
      Proofs: { type: "durable-object", storage: "sqlite" },
      Idempotency: { type: "durable-object", storage: "sqlite" },
    },
    env: {
      production: {
        vars: { ENVIRONMENT: "production" } as Record<string, unknown>,
        secrets: { required: ["READER_PASSWORD"] },
        durable_objects: {
          bindings: [
            { name: "POOL", class_name: "Pool" },
            { name: "KEYS", class_name: "Keys" },
            { name: "LIMITER", class_name: "Limiter" },
            { name: "PROOFS", class_name: "Proofs" },
            { name: "IDEMPOTENCY", class_name: "Idempotency" },
          ],
        },
        ratelimits: [{ name: "WALL", namespace_id: "1", simple: { limit: 10, period: 10 } }],
        build: {
          command: "node cli/tidegate.ts build --env production",
          watch_dir: ["src", "config", "queries", "queries.lock"],
        },
      },
    },
  };
}

type Good = ReturnType<typeof good>;

/** @returns the mistakes of the valid file after a change. */
function mistakes(change: (file: Good) => unknown, secrets: string[] | undefined = ["READER_PASSWORD"]) {
  const file = good();
  change(file);
  return wranglerMistakes("production", file as WranglerFile, secrets);
}

const at = "wrangler.toml, [env.production]";

test("warns of access to other callers' data: grants with sql:server, saved queries that read such tables", () => {
  const grant = (allow: string[]) => ({ account: "analyst", allow }) as unknown as Grant;
  const grants = [grant(["sql:read", "query:*"]), grant(["sql:read", "sql:server"])];
  const queries = [
    parseQuery("busy.sql", "SELECT COUNT(*) AS n FROM information_schema.processlist"),
    parseQuery("tables.sql", "SELECT TABLE_NAME FROM information_schema.tables"),
  ];
  expect(serverWarnings(grants, queries)).toEqual([
    expect.stringMatching(
      /^grants\[1\]\.allow: sql:server shows what other callers of the login of "analyst" execute/,
    ),
    expect.stringMatching(/^queries\/busy\.sql: reads the server's own tables/),
  ]);
});

test("a valid file has no mistakes", () => {
  expect(mistakes(() => {})).toEqual([]);
});

test("a build command may be at the top if it names the environment", () => {
  const atTop = (file: Good) => {
    const { build } = file.env.production;
    Object.assign(file.env.production, { build: undefined });
    Object.assign(file, { build });
  };
  expect(mistakes(atTop)).toEqual([]);
});

describe("the mistake is named", () => {
  const table: [string, (file: Good) => unknown, string][] = [
    [
      "no wall",
      ({ env }) => Object.assign(env.production, { ratelimits: [] }),
      `${at}: ratelimits must have WALL, the limit for requests of one network`,
    ],
    [
      "no environment of that name",
      (file) => Object.assign(file, { env: {} }),
      "wrangler.toml: there is no [env.production]",
    ],
    [
      "another name in ENVIRONMENT",
      ({ env }) => Object.assign(env.production.vars, { ENVIRONMENT: "staging" }),
      `${at}: vars.ENVIRONMENT must be "production"`,
    ],
    [
      "a readable variable of a secret's name",
      ({ env }) => Object.assign(env.production.vars, { READER_PASSWORD: "in clear" }),
      `${at}: vars.READER_PASSWORD has the name of a secret: remove it, it is readable`,
    ],
    [
      "no variables",
      ({ env }) => Object.assign(env.production, { vars: undefined }),
      `${at}: vars.ENVIRONMENT must be "production"`,
    ],
    [
      "another environment's build",
      ({ env }) =>
        Object.assign(env.production.build, { command: "node cli/tidegate.ts build --env staging" }),
      `${at}: build.command must be "node cli/tidegate.ts build --env production"`,
    ],
    [
      "no build command",
      ({ env }) => Object.assign(env.production.build, { command: undefined }),
      `${at}: build.command must be "node cli/tidegate.ts build --env production"`,
    ],
    [
      "a folder that is not watched",
      ({ env }) => env.production.build.watch_dir.splice(2, 1),
      `${at}: build.watch_dir lacks "queries": wrangler dev would not see a change there`,
    ],
    [
      "a build of its own without the watch_dir that stands at the top",
      (file) => {
        Object.assign(file, { build: { ...file.env.production.build } });
        Object.assign(file.env.production.build, { watch_dir: undefined });
      },
      `${at}: build.watch_dir lacks "src", "config", "queries", "queries.lock": wrangler dev would not see a change there`,
    ],
    [
      "no binding of the pool",
      ({ env }) => env.production.durable_objects.bindings.shift(),
      `${at}: durable_objects.bindings must bind POOL to the class Pool`,
    ],
    [
      "no binding of the keys",
      ({ env }) => env.production.durable_objects.bindings.splice(1, 1),
      `${at}: durable_objects.bindings must bind KEYS to the class Keys`,
    ],
    [
      "a binding to another class",
      ({ env }) =>
        Object.assign(env.production.durable_objects.bindings[0] as object, { class_name: "Other" }),
      `${at}: durable_objects.bindings must bind POOL to the class Pool`,
    ],
    [
      "no exported pool",
      (file) => Object.assign(file.exports, { Pool: undefined }),
      `wrangler.toml: [exports.Pool] must have type = "durable-object"`,
    ],
    [
      "no exported keys",
      (file) => Object.assign(file.exports, { Keys: undefined }),
      `wrangler.toml: [exports.Keys] must have type = "durable-object"`,
    ],
    [
      "an export of another type",
      (file) => Object.assign(file.exports.Keys, { type: "worker" }),
      `wrangler.toml: [exports.Keys] must have type = "durable-object"`,
    ],
    [
      "a secret that the policy names and the file does not",
      ({ env }) => Object.assign(env.production, { secrets: undefined }),
      `${at}: secrets.required lacks READER_PASSWORD, which the policy names`,
    ],
    [
      "a secret that no policy names",
      ({ env }) => env.production.secrets.required.push("OLD_PASSWORD"),
      `${at}: secrets.required has OLD_PASSWORD, which no policy names`,
    ],
    [
      "a variable that the platform would not take",
      ({ env }) => Object.assign(env.production.vars, { BIG: "é".repeat(2561) }),
      `${at}: vars.BIG has 5122 bytes; a variable may have 5120`,
    ],
    [
      "a large variable that is a table",
      ({ env }) => Object.assign(env.production.vars, { BIG: { text: "x".repeat(5120) } }),
      `${at}: vars.BIG has 5131 bytes; a variable may have 5120`,
    ],
    [
      "more variables and secrets than the platform takes",
      ({ env }) =>
        Object.assign(
          env.production.vars,
          Object.fromEntries(Array.from({ length: 63 }, (_, i) => [`V${i}`, "x"])),
        ),
      `${at}: 65 variables and secrets; the free plan takes 64, the paid one 128`,
    ],
  ];
  test.each(table)("%s", (_, change, mistake) => {
    expect(mistakes(change)).toEqual([mistake]);
  });

  test("all at once", () => {
    const found = mistakes(({ env }) => Object.assign(env, { production: {} }));
    expect(found).toHaveLength(10);
  });
});

test("the largest variable and the largest number are accepted", () => {
  const found = mistakes(({ env }) => {
    const more = Object.fromEntries(Array.from({ length: 61 }, (_, i) => [`V${i}`, "x"]));
    Object.assign(env.production.vars, more, { BIG: "x".repeat(5120) });
  });
  expect(found).toEqual([]);
});

test("the secrets of an invalid policy are not checked", () => {
  const change = ({ env }: Good) => env.production.secrets.required.push("OTHER");
  expect(wranglerMistakes("production", good() as WranglerFile, undefined)).toEqual([]);
  expect(mistakes(change, undefined)).toHaveLength(1);
});

describe("what is committed", () => {
  test("has the three environments", () => {
    expect(environments).toEqual(["development", "staging", "production"]);
    expect(Object.keys(readWranglerFile().env ?? {})).toEqual([...environments]);
  });

  test.each(environments)("%s is valid", (name) => {
    expect(checkEnvironment(name)).toEqual([]);
  });

  test("on TiDB no grant writes with a reader's account, and other grants give other pools", () => {
    const directory = mkdtempSync(join(tmpdir(), "tidegate-check-"));
    const file = readPolicyFile("production") as {
      cluster: object;
      accounts: Record<string, { user: string; password: string }>;
      grants: object[];
    };
    const [grant] = file.grants;
    const reading = {
      ...file,
      cluster: { ...file.cluster, engine: "tidb" },
      accounts: Object.fromEntries(
        Object.entries(file.accounts).map(([name, { user, password }]) => [name, { user, password }]),
      ),
      grants: [{ ...grant, allow: ["sql:read"] }],
    };
    const writing = { ...reading, grants: [{ ...grant, allow: ["sql:write"] }] };
    const mixed = { ...reading, grants: [...reading.grants, ...writing.grants] };
    try {
      for (const [policy, found] of [
        [reading, []],
        [writing, []],
        [
          mixed,
          [
            expect.stringContaining(
              "config/production.toml: grants[0].account: only reads, and other grants write",
            ),
          ],
        ],
      ] as const) {
        writeFileSync(join(directory, "production.toml"), stringify(policy));
        expect(checkEnvironment("production", directory)).toEqual(found);
      }
      expect(() => makeApplication("production", mixed)).toThrow(ConfigError);
      const generation = (policy: Record<string, unknown>) =>
        makeApplication("production", policy).generation;
      expect(generation(reading)).not.toBe(generation(writing));
      expect(generation(reading)).toBe(
        generation({ ...reading, grants: [...reading.grants, ...reading.grants] }),
      );
      // TiDB's sessions depend on the longest deadline. Sessions of other servers do not.
      const patient = { ...reading, grants: [{ ...reading.grants[0], deadline_ms: 60_000 }] };
      const mysql = { cluster: { ...reading.cluster, engine: "mysql" } };
      expect(generation(patient)).not.toBe(generation(reading));
      expect(generation({ ...patient, ...mysql })).toBe(generation({ ...reading, ...mysql }));
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test("an environment without a policy gets a list of the existing ones", () => {
    expect(checkEnvironment("nowhere")).toEqual([
      expect.stringMatching(/^there is no config\/nowhere\.toml; there are: .*production/),
    ]);
  });
});

describe("Hyperdrive bindings", () => {
  const found = (hyperdrive: { binding: string; id: string }[], names: string[]) =>
    hyperdriveMistakes("production", { env: { production: { hyperdrive } } }, names);

  test("are those that the policy names", () => {
    expect(found([{ binding: "READER_DB", id: "1" }], ["READER_DB"])).toEqual([]);
    expect(hyperdriveMistakes("production", good() as WranglerFile, [])).toEqual([]);
  });

  test("one that is missing, and one that no account names", () => {
    expect(found([{ binding: "OTHER_DB", id: "1" }], ["READER_DB"])).toEqual([
      `${at}: hyperdrive lacks the binding READER_DB, which the policy names`,
      `${at}: hyperdrive has OTHER_DB, which no policy names`,
    ]);
  });

  test("two that lead to the same login", () => {
    const bound = [
      { binding: "READER_DB", id: "1" },
      { binding: "WRITER_DB", id: "1" },
    ];
    expect(found(bound, ["READER_DB", "WRITER_DB"])).toEqual([
      `${at}: hyperdrive WRITER_DB has the id of another: each account has its own`,
    ]);
  });
});

describe("the assets of the documentation page", () => {
  const assets = { directory: "build/assets", binding: "ASSETS", run_worker_first: true };
  const found = (file: WranglerFile, hasDocs: boolean) => assetsMistakes("production", file, hasDocs);

  test("are needed where the policy has the page", () => {
    const file = good() as WranglerFile;
    expect(found(file, false)).toEqual([]);
    expect(found(file, true)).toEqual([
      `wrangler.toml, [assets]: directory must be "build/assets", for the page of [docs]`,
      `wrangler.toml, [assets]: binding must be "ASSETS", for the page of [docs]`,
      `wrangler.toml, [assets]: run_worker_first must be true, for the page of [docs]`,
    ]);
    expect(found({ ...file, assets }, true)).toEqual([]);
    expect(found({ env: { production: { assets } } }, true)).toEqual([]);
  });

  test("are never served without the Worker, which knows whether there is a page", () => {
    expect(found({ assets: { ...assets, run_worker_first: ["/docs"] } }, false)).toEqual([
      `wrangler.toml, [assets]: run_worker_first must be true, for the page of [docs]`,
    ]);
  });
});
