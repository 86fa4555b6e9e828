import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "smol-toml";
import { describe, expect, test } from "vitest";
import { makeApplication } from "../../../../cli/project/application.ts";
import {
  checkEnvironment,
  serverWarnings,
  shadowWarnings,
  warningsOf,
  workerMistakes,
} from "../../../../cli/project/environment.ts";
import { environmentNames, readPolicyFile } from "../../../../cli/project/project-file.ts";
import { reservedKeys } from "../../../../cli/project/wrangler.ts";
import { parseQuery } from "../../../../src/catalog/parse.ts";
import { ConfigError } from "../../../../src/config/policy.ts";
import type { Grant, Policy } from "../../../../src/config/schema.ts";

const policy = {
  cluster: { link: "platform" },
  accounts: { reader: { password: "READER_PASSWORD" } },
  issuers: [],
};

/** @returns the mistakes of `[env.NAME.worker]` beside a policy */
function mistakes(table: Record<string, unknown>, more: Record<string, unknown> = {}): string[] {
  return workerMistakes(table, { ...policy, ...more } as unknown as Policy);
}

const wall = { name: "WALL", namespace_id: "1", simple: { limit: 10, period: 10 } };

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

test("warns of a grant behind one for the same callers and the same account, and of no other", () => {
  const grant = { issuer: "i", claims: { role: "x", org: { id: 7 } }, account: "a", allow: ["sql:read"] };
  const grants = [
    grant,
    { ...grant, claims: { role: "x" } },
    { ...grant, claims: { role: "x", org: { id: "7" } } },
    { ...grant, issuer: "j" },
    { ...grant, account: "b" },
    { ...grant, subject: "s" },
    { ...grant, scopes: ["one", "two"] },
    { ...grant, claims: { org: { id: 7 }, role: "x" }, allow: ["sql:write"] },
    { ...grant, scopes: ["two", "one"], max_rows: 5 },
  ] as unknown as Grant[];
  expect(shadowWarnings(grants)).toEqual([
    "grants[7]: never decides: grants[0] is for the same callers and account. Make one of them",
    "grants[8]: never decides: grants[6] is for the same callers and account. Make one of them",
  ]);
});

describe("what is committed", () => {
  test("has the three environments", () => {
    expect(environmentNames()).toEqual(["development", "staging", "production"]);
  });

  test.each(environmentNames())("%s is valid", (name) => {
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
              "tidegate.toml, [env.production]: grants[0].account: only reads, and other grants write",
            ),
          ],
        ],
      ] as const) {
        writeFileSync(
          join(directory, "tidegate.toml"),
          stringify({ version: 1, env: { production: policy } }),
        );
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

  describe("with an issuer's keys in it", () => {
    /** The key of RFC 7517 §A.1. */
    const key = {
      kty: "EC",
      crv: "P-256",
      x: "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
      y: "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    };
    const n = Buffer.alloc(256, 0xff).toString("base64url");
    const place = "tidegate.toml, [env.production]: issuers[0].jwks";
    const table: [string, Record<string, unknown>[], string[], string[]][] = [
      ["a good one", [key], [], []],
      ["one off its curve", [key, { ...key, y: key.x }], [".keys[1]: cannot be imported"], []],
      ["the exponent 1", [key, { kty: "RSA", n, e: "AQ" }], [".keys[1]: is an RSA key with another exp"], []],
      [
        "a future kind",
        [{ kty: "PQC" }, key],
        [],
        [".keys[0]: is neither RSA nor EC nor OKP; it is not used"],
      ],
      [
        "a key for encryption, as Keycloak has one",
        [key, { kty: "RSA", n, e: "AQAB", use: "enc", alg: "RSA-OAEP" }],
        [],
        [".keys[1]: is not for signatures (use); it is not used"],
      ],
      ["a key for encryption alone", [{ ...key, use: "enc" }], [".keys[0]: is not for signatures (use)"], []],
      [
        "a foreign algorithm",
        [key, { kty: "OKP", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", kid: "1" }],
        [],
        [': keys that are for none of algorithms are not used: "1" (OKP Ed25519)'],
      ],
      [
        "a kid twice",
        [
          { ...key, kid: "1" },
          { ...key, kid: "1" },
        ],
        [],
        [": several keys have the same kid"],
      ],
    ];
    test.each(table)("%s", (_, keys, found, warned) => {
      const directory = mkdtempSync(join(tmpdir(), "tidegate-check-"));
      const file = readPolicyFile("production") as { issuers: Record<string, unknown>[] };
      const [{ issuer = "" } = {}] = file.issuers;
      const issuers = [{ issuer, audience: "a", algorithms: ["ES256"], jwks: { keys } }];
      const production = { ...file, issuers };
      try {
        writeFileSync(join(directory, "tidegate.toml"), stringify({ version: 1, env: { production } }));
        expect(checkEnvironment("production", directory)).toEqual(
          found.map((text) => expect.stringContaining(`${place}${text}`)),
        );
        const warnings = warningsOf("production", directory).filter((line) => line.startsWith("issuers"));
        expect(warnings).toEqual(warned.map((text) => expect.stringContaining(`issuers[0].jwks${text}`)));
        const make = () => makeApplication("production", production);
        if (found.length > 0) expect(make).toThrow(ConfigError);
        else make();
      } finally {
        rmSync(directory, { recursive: true });
      }
    });
  });

  test("an environment that is not there gets a list of the existing ones", () => {
    expect(() => checkEnvironment("nowhere")).toThrow(
      "tidegate.toml: there is no [env.nowhere]; there are: development, staging, production",
    );
  });
});

describe("the Worker's settings of an environment", () => {
  test("may be empty, and may have a wall and keys of wrangler", () => {
    expect(mistakes({})).toEqual([]);
    expect(
      mistakes({ name: "my-gateway", ratelimits: [wall], routes: [{ pattern: "a.example/*" }] }),
    ).toEqual([]);
  });

  test.each(reservedKeys)("may not have %s, which the build writes", (key) => {
    expect(mistakes({ [key]: {} })).toEqual([`worker.${key}: the build writes it; remove it`]);
  });

  test.each(["My Gateway", "-x", "x".repeat(64), "7_"])("refuse the name %j", (name) => {
    expect(mistakes({ name })).toEqual([expect.stringMatching(/^worker\.name: /)]);
  });

  test("have WALL among their rate limits", () => {
    expect(mistakes({ ratelimits: [{ ...wall, name: "OTHER" }] })).toEqual([
      "worker.ratelimits: must have WALL, the limit for requests of one network",
    ]);
  });

  test("tell all mistakes at once, also beside a policy that could not be read", () => {
    const table = { main: "x.js", name: "X", ratelimits: [] };
    expect(mistakes(table)).toHaveLength(3);
    expect(workerMistakes(table, undefined)).toHaveLength(3);
  });

  test("leave room for the secrets of the policy", () => {
    const accounts = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`a${i}`, { password: `P${i}` }]));
    expect(mistakes({}, { accounts: accounts(63) })).toEqual([]);
    expect(mistakes({}, { accounts: accounts(64) })).toEqual([
      "accounts: 65 variables and secrets; the free plan takes 64, the paid one 128",
    ]);
  });
});

describe("Hyperdrive bindings", () => {
  const found = (hyperdrive: { binding: string; id: string }[], names: string[]) =>
    mistakes(
      { hyperdrive },
      { accounts: Object.fromEntries(names.map((name) => [name.toLowerCase(), { hyperdrive: name }])) },
    );

  test("are those that the policy names", () => {
    expect(found([{ binding: "READER_DB", id: "1" }], ["READER_DB"])).toEqual([]);
  });

  test("one that is missing, and one that no account names", () => {
    expect(found([{ binding: "OTHER_DB", id: "1" }], ["READER_DB"])).toEqual([
      "worker.hyperdrive lacks the binding READER_DB, which the policy names",
      "worker.hyperdrive has OTHER_DB, which no policy names",
    ]);
  });

  test("two that lead to the same login", () => {
    const bound = [
      { binding: "READER_DB", id: "1" },
      { binding: "WRITER_DB", id: "1" },
    ];
    expect(found(bound, ["READER_DB", "WRITER_DB"])).toEqual([
      "worker.hyperdrive: WRITER_DB has the id of another: each account has its own",
    ]);
  });
});
