import { describe, expect, test } from "vitest";
import type { Application } from "../../../src/config/config.ts";
import { loadConfig } from "../../../src/config/config.ts";
import { hyperdriveNames, parsePolicy, secretNames } from "../../../src/config/policy.ts";
import { change, good, mistakesOf } from "./example.ts";

const hyperdrive = {
  "cluster.link": "hyperdrive",
  "cluster.caching": "disabled",
  "cluster.hosts": undefined,
  "cluster.trust": undefined,
  "accounts.reader.password": undefined,
  "accounts.reader.hyperdrive": "READER_DB",
};

function policy(parts: Record<string, unknown> = {}) {
  return change(change(good() as Record<string, unknown>, hyperdrive), parts);
}

function mistakes(parts: Record<string, unknown>): readonly string[] {
  return mistakesOf(() => parsePolicy(policy(parts), "production", []));
}

test("a valid policy needs no address, no trust and no secret, and names its bindings", () => {
  const parsed = parsePolicy(policy(), "production", []);
  expect(parsed.cluster).toMatchObject({ link: "hyperdrive", caching: "disabled", hosts: [] });
  expect(secretNames(parsed)).toEqual([]);
  expect(hyperdriveNames(parsed)).toEqual(["READER_DB"]);
  expect(mistakes({ "accounts.reader.acts_as": "reader@%" })).toEqual([]);
});

describe("caching must be set", () => {
  test("left out", () => {
    expect(mistakes({ "cluster.caching": undefined })).toEqual([
      'cluster.caching: must be "disabled", for which you have looked: npx wrangler hyperdrive get ID (it is on unless turned off)',
    ]);
  });

  test.each(["enabled", "on", true, ""])("%j", (caching) => {
    expect(mistakes({ "cluster.caching": caching })).toEqual([
      `cluster.caching: must be "disabled": Hyperdrive's cache would answer with what was true a minute ago`,
    ]);
  });
});

describe("a setting that Hyperdrive cannot honour is refused", () => {
  const refusals: [string, unknown][] = [
    ["cluster.hosts", ["db.example.com:3306"]],
    ["cluster.trust", "public"],
    ["cluster.location", "weur"],
    ["accounts.reader.password", "READER_PASSWORD"],
    ["accounts.reader.plugin", "caching_sha2_password"],
    ["accounts.reader.cleartext", false],
    ["accounts.reader.role", "analyst"],
    ["accounts.reader.shards", 1],
    ["accounts.reader.connections_per_shard", 5],
    ["accounts.reader.connections_per_caller", 5],
    ["accounts.reader.lifetime_s", 300],
    ["accounts.reader.idle_s", 30],
    ["accounts.reader.queue_length", 100],
    ["accounts.reader.queue_wait_ms", 1000],
    ["accounts.reader.restore", "always"],
  ];
  test.each(refusals)("%s", (place, value) => {
    expect(mistakes({ [place]: value })).toEqual([
      expect.stringMatching(new RegExp(`^${place}: does not go with the link hyperdrive: .{10}`)),
    ]);
  });

  test("a token", () => {
    const found = mistakes({ "cluster.engine": "tidb", "accounts.reader.token": { key: "READER_KEY" } });
    expect(found).toEqual([expect.stringMatching(/^accounts\.reader\.token: does not go with the link/)]);
  });

  test("the server's own schema, to which a binding may lead", () => {
    expect(mistakes({ "cluster.database": "Sys" })).toEqual([
      expect.stringMatching(/^cluster\.database: "sys" is the server's own schema/),
    ]);
  });

  test("a limit on parallel statements", () => {
    expect(mistakes({ "grants[0].max_concurrent": 4 })).toEqual([
      expect.stringMatching(/^grants\[0\]\.max_concurrent: cannot be kept with the link hyperdrive/),
    ]);
  });
});

test("transactions over several requests are refused", () => {
  expect(mistakes({ "grants[0].allow": ["sql:read", "transaction"] })).toEqual([
    expect.stringMatching(/^grants\[0\]\.allow: transaction does not go with the link hyperdrive/),
  ]);
});

describe("bindings", () => {
  test("each account has one", () => {
    expect(mistakes({ "accounts.reader.hyperdrive": undefined })).toEqual([
      "accounts.reader.hyperdrive: is needed with the link hyperdrive",
    ]);
  });

  test("of its own", () => {
    expect(mistakes({ "accounts.writer": { user: "gw_writer", hyperdrive: "READER_DB" } })).toEqual([
      'accounts: the Hyperdrive binding "READER_DB" has one login, so one account has it',
    ]);
  });

  test.each([
    ["reader_db", "must be the NAME of a Hyperdrive binding, in capitals"],
    ["POOL", "is a binding of another kind"],
  ])("%s is not a valid name", (name, why) => {
    expect(mistakes({ "accounts.reader.hyperdrive": name })).toEqual([`accounts.reader.hyperdrive: ${why}`]);
  });
});

describe("with another link", () => {
  const platform = (parts: Record<string, unknown>) =>
    mistakesOf(() => parsePolicy(change(good(), parts), "production", []));

  test("the address and the trust are required", () => {
    expect(platform({ "cluster.hosts": undefined, "cluster.trust": undefined })).toEqual([
      "cluster.hosts: is needed",
      "cluster.trust: is needed",
    ]);
  });

  test("bindings and caching are refused", () => {
    const found = platform({ "cluster.caching": "disabled", "accounts.reader.hyperdrive": "READER_DB" });
    expect(found).toEqual([
      "cluster.caching: goes with the link hyperdrive; nothing else caches",
      "accounts.reader.hyperdrive: goes with the link hyperdrive",
    ]);
  });
});

describe("the Worker's env", () => {
  const application: Application = {
    ...{ environment: "production", digest: "d", generation: "g", queries: [], viewer: "v" },
    policy: policy(),
  };
  const load = (binding: unknown) =>
    loadConfig(application, { ENVIRONMENT: "production", READER_DB: binding });

  test("has the binding of each account", () => {
    const config = load({ connect: () => {}, database: "shop" });
    expect(config.accounts.get("reader")?.credential).toEqual({ binding: "READER_DB" });
  });

  test.each([
    ["nothing", undefined],
    ["a text", "READER_DB"],
    ["another object", { fetch: () => {} }],
  ])("with a wrong one is refused: %s", (_, binding) => {
    expect(mistakesOf(() => load(binding))).toEqual([
      "the Hyperdrive binding READER_DB is missing: put it into hyperdrive of [env.NAME.worker] in tidegate.toml, with its id",
    ]);
  });

  test("with one for another database is refused", () => {
    expect(mistakesOf(() => load({ connect: () => {}, database: "other" }))).toEqual([
      'the Hyperdrive binding READER_DB leads to the database "other", not to "shop"',
    ]);
  });
});
