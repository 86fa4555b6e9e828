import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "smol-toml";
import { describe, expect, test } from "vitest";
import { algorithms } from "../../../src/config/algorithms.ts";
import { parsePolicy } from "../../../src/config/policy.ts";
import { secretEncodings } from "../../../src/config/shared-secret.ts";
import { limits } from "../../../src/limits.ts";
import { change, good, mistakesOf } from "./example.ts";

/** docs/reference/configuration.md must agree with the schema in src/config. */
const root = join(import.meta.dirname, "..", "..", "..");
const document = readFileSync(join(root, "docs", "reference", "configuration.md"), "utf8");
const source = ["schema.ts", "cluster-schema.ts"]
  .map((file) => readFileSync(join(root, "src", "config", file), "utf8"))
  .join("\n");
const queries = [{ name: "cities-by-country", tags: ["geography"] }];

/** Those of policies. `[env.NAME.worker]` has wrangler's keys. */
const examples = [...document.matchAll(/```toml\n([\s\S]*?)```/g)]
  .map(([, text = ""]) => text)
  .filter((text) => !text.startsWith("[env."));

describe("the examples", () => {
  test("are three", () => {
    expect(examples).toHaveLength(3);
  });

  test.each(examples)("are accepted in production: %#", (text) => {
    expect(mistakesOf(() => parsePolicy(parse(text), "production", queries))).toEqual([]);
  });

  test("have every key", () => {
    const text = examples.join("\n");
    for (const [, , keys] of sections()) {
      for (const { key } of keys) expect(text).toMatch(new RegExp(`\\b${key} =`));
    }
  });
});

interface Key {
  key: string;
  type: string;
  fallback: string;
}

/** @returns the sections of the policy: title, name of the schema in the source, and documented keys. */
function sections(): [string, string, Key[]][] {
  return [
    ["[cluster]", "clusterSchema"],
    ["[accounts.NAME]", "accountSchema"],
    ["[[issuers]]", "issuerSchema"],
    ["[[grants]]", "grantSchema"],
    ["[cors]", "corsSchema"],
    ["[docs]", "docsSchema"],
  ].map(([title = "", schema = ""]) => {
    const text = document.split(/^## /m).find((part) => part.startsWith(`${title}\n`)) ?? "";
    const keys = text
      .split("\n")
      .filter((line) => line.startsWith("| `"))
      .map((line) => line.split("|").map((cell) => cell.trim().replaceAll("`", "")))
      .map(([, key = "", type = "", fallback = ""]) => ({ key, type, fallback }));
    return [title, schema, keys];
  });
}

describe.each(sections())("%s", (_, schema, keys) => {
  const body =
    new RegExp(`const ${schema} = z.strictObject\\(\\{\n([\\s\\S]*?)\n\\}\\);`).exec(source)?.[1] ?? "";

  test("has exactly one row for each key of the schema", () => {
    const real = [...body.matchAll(/^ {2}(\w+):/gm)].map(([, key]) => key);
    expect(real.length).toBeGreaterThan(0);
    expect(keys.map(({ key }) => key)).toEqual(real);
  });
});

describe("the defaults", () => {
  const { cluster, accounts, issuers, grants } = parsePolicy(
    change(good(), { "grants[0].claims": undefined }),
    "production",
    [],
  );
  const real: Record<string, unknown>[] = [
    { ...cluster },
    { ...accounts.reader },
    // An issuer needs one source of keys, but each source is optional.
    { ...issuers[0] },
    { ...grants[0] },
    {},
    {},
  ];
  const table = sections().flatMap(([title, , keys], i) =>
    keys.map((key) => ({ ...key, title, value: real[i]?.[key.key] })),
  );

  test.each(table.filter(({ fallback }) => !["none", "required"].includes(fallback)))(
    "$title $key is $fallback",
    ({ fallback, value }) => {
      expect(JSON.stringify(value)).toBe(fallback);
    },
  );

  test("are twenty", () => {
    const found = table.filter(({ fallback }) => !["none", "required"].includes(fallback));
    expect(found.map(({ key }) => key)).toEqual([
      "connect_timeout_ms",
      "cleartext",
      "time_zone",
      "shards",
      "connections_per_shard",
      "lifetime_s",
      "idle_s",
      "queue_length",
      "queue_wait_ms",
      "restore",
      "deadline_ms",
      "max_bytes",
      "audience_claim",
      "required_claims",
      "authorized_parties",
      "dpop",
      "json_claims",
      "max_token_bytes",
      "claims",
      "max_transactions",
    ]);
  });

  const places: Record<string, string> = {
    "[cluster]": "cluster",
    "[accounts.NAME]": "accounts.reader",
    "[[issuers]]": "issuers[0]",
    "[[grants]]": "grants[0]",
    "[cors]": "cors",
    "[docs]": "docs",
  };
  test.each(table)("$title $key is $fallback, as in the schema", ({ title, key, fallback }) => {
    const without = change(
      {
        ...good(),
        cors: { origins: ["https://app.example.com"] },
        docs: { issuer: "https://id.example.com/", client_id: "docs", scope: "tidegate" },
      },
      { [`${places[title]}.${key}`]: undefined },
    );
    const mistakes = mistakesOf(() => parsePolicy(without, "production", []));
    // A source of keys and a way to log in are needed, but each one is optional.
    // A login of the page needs an issuer and a client, but there may be none.
    const isPart = title === "[docs]" && key !== "scope";
    const needed = ["jwks_uri", "password"].includes(key) || fallback === "required" || isPart;
    expect(mistakes.length > 0).toBe(needed);
  });
});

describe("the words", () => {
  const list = (name: string) => {
    const body = new RegExp(`const ${name} = \\[([^\\]]*)\\]`).exec(source)?.[1] ?? "";
    return [...body.matchAll(/"(\w+)"/g)].map(([, word]) => word ?? "");
  };

  const lists = {
    locations: list("locations"),
    algorithms,
    secretEncodings,
    authPlugins: list("authPlugins"),
    tokenAlgorithms: list("tokenAlgorithms"),
  };
  test.each(Object.entries(lists))("of %s are all in the document", (_, words) => {
    expect(words.length).toBeGreaterThan(2);
    for (const word of words) expect(document).toMatch(new RegExp(`\`"?${word}"?\``));
  });

  test("have the current bounds", () => {
    expect(limits.connectionsPerShard).toBe(5);
    expect(limits.clockSkewSeconds).toBe(30);
    expect(limits.connectTimeoutMs).toBe(10_000);
    expect(limits.transactionsPerShard).toBe(2);
  });
});
