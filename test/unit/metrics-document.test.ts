import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { packageRoot } from "../../cli/project/paths.ts";
import { closeReasons } from "../../src/db/pool/messages/counters.ts";
import { ShardCounters } from "../../src/db/pool/object/counters.ts";
import { families } from "../../src/db/pool/worker/metric-families.ts";
import type { Family } from "../../src/exposition.ts";
import { infoOf } from "../../src/routes/metrics.ts";

/** docs/reference/metrics.md must agree with what `/metrics` writes. */

const document = readFileSync(join(packageRoot, "docs/reference/metrics.md"), "utf8");

interface Row {
  name: string;
  type: string;
  labels: string[];
  what: string;
}

const words = (cell: string) => [...cell.matchAll(/`([a-z_]+)`/g)].map(([, word = ""]) => word);
const rows: Row[] = [...document.matchAll(/^\| `(tidegate_\w+)` \| (\w+) \| ([^|]+) \| (.+) \|$/gm)].map(
  ([, name = "", type = "", labels = "", what = ""]) => ({ name, type, labels: words(labels), what }),
);

/** A shard's own counters after one of everything. */
function counted() {
  const counters = new ShardCounters();
  counters.created();
  counters.refused("database_login_failed");
  counters.unserved("pool_full");
  counters.waited(1);
  counters.ran(1);
  const gauges = { idle: 1, busy: 1, opening: 1, closing: 1, waiting: 1 };
  const certificate = { subject: "db.example.com", notAfterMs: 0 };
  return counters.read(gauges, 5, { certificate, handshakes: { full: 1, resumed: 1 } });
}

const written: Family[] = [
  infoOf({ environment: "development", cluster: { engine: "mysql", link: "rustls" } } as never),
  ...families({ authorities: [{ subject: "CA", notAfter: "2030-01-01T00:00:00Z" }] as never }, [
    { labels: { account: "reader", shard: "0" }, metrics: counted() },
  ]),
];

/** @returns the values that a family has for each of its labels */
function valuesOf({ samples }: Family): Map<string, Set<string>> {
  const values = new Map<string, Set<string>>();
  for (const { labels } of samples) {
    for (const [label, value] of Object.entries(labels)) {
      values.set(label, (values.get(label) ?? new Set()).add(value));
    }
  }
  return values;
}

describe("docs/reference/metrics.md", () => {
  test("has a row for each metric in the order of the answer, with its type and its labels", () => {
    expect(rows.map(({ name, type, labels }) => ({ name, type, labels }))).toEqual(
      written.map((family) => ({
        ...{ name: family.name, type: family.type },
        labels: [...valuesOf(family).keys()],
      })),
    );
  });

  test.each(rows)("has every value of the labels of $name", ({ name, what }) => {
    const family = written.find((one) => one.name === name);
    if (family === undefined) throw new Error(`no family ${name}`);
    for (const [label, values] of valuesOf(family)) {
      if (["state", "kind", "result"].includes(label)) {
        expect(what).toContain(`\`${label}\`: `);
        expect(words(what)).toEqual(expect.arrayContaining([...values]));
      }
    }
  });

  test("has every reason why a connection ended", () => {
    const [, table = ""] = document.split("## Why a connection ended\n");
    const [section = ""] = table.split("\n## ");
    expect([...section.matchAll(/^\| `([a-z_]+)` \| \w/gm)].map(([, reason]) => reason)).toEqual([
      "reason",
      ...closeReasons,
    ]);
  });

  test("has the buckets of the histograms", () => {
    const [, text = ""] =
      /buckets of both histograms end at ([\d., \nand]+) seconds|$/.exec(document.replaceAll("\n", " ")) ??
      [];
    const bounds = [...text.matchAll(/\d+(?:\.\d+)?/g)].map(Number);
    expect(bounds).toEqual(counted().wait.bounds);
    expect(bounds).toEqual(counted().statements.bounds);
  });

  test("alerts on metrics that are there", () => {
    const [, alerts = ""] = document.split("## Alerts\n");
    const named = [...alerts.matchAll(/tidegate_\w+/g)].map(([name]) => name);
    expect(named.length).toBeGreaterThan(3);
    expect(named.filter((name) => !rows.some((row) => row.name === name))).toEqual([]);
  });
});
