import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { engines } from "../../../../servers/database/engines.ts";
import { dialectOf } from "../../../../src/db/mysql/engines/dialect-of.ts";
import { restingState } from "../../../../src/db/mysql/engines/session-state.ts";
import { typeNames } from "../../../../src/sql/adhoc-types.ts";
import type { GoldenAnswer } from "../../../golden/files.ts";
import { readGolden } from "../../../golden/files.ts";

/** docs/reference/values.md must agree with src. */
const document = readFileSync(join(import.meta.dirname, "../../../../docs/reference/values.md"), "utf8");

function section(title: string): string {
  return document.split(/^## /m).find((part) => part.startsWith(`${title}\n`)) ?? "";
}

/** @returns the rows of a section's tables, without their headings. */
function rows(text: string): string[][] {
  return text
    .split("\n")
    .filter((line) => line.startsWith("| ") && !line.includes("---"))
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

const golden = engines.map((engine) =>
  [...readGolden(engine).lines.values()].map((line) => ({ line, ...(JSON.parse(line) as GoldenAnswer) })),
);

/** @returns whether a case has the type that a row names: with or without a length, in no character set */
function isOf(named: string, of: string): boolean {
  const plain = of.replace(/ NULL$/, "").replace(/ \/\*.*$/, "");
  if (plain === named) return true;
  return (
    !named.includes("(") && plain.startsWith(`${named}(`) && !/CHARACTER SET|ZEROFILL|UNSIGNED/.test(plain)
  );
}

describe("the table of answers", () => {
  const table = rows(section("Answers")).slice(1);

  test("has every type of the golden files", () => {
    const named = table.flatMap(([types = ""]) => types.split(", ").filter((type) => /^[A-Z]/.test(type)));
    for (const { of } of golden.flat()) {
      // The document explains precision, scale and other character sets of a type in words.
      const base = of.replace(/ (CHARACTER SET|COLLATE|UNSIGNED|ZEROFILL|NULL|\/\*).*$/, "");
      const names = [base, base.replace(/\(.*$/s, "")];
      expect(
        named.some((name) => names.includes(name.replace(/\(.*$/, ""))),
        of,
      ).toBe(true);
    }
  });

  test.each(table.slice(0, -1))(
    "%s is %s, a %s: %s, %s, %s",
    (cell = "", type = "", json = "", ...examples) => {
      const types = cell.split(/,(?! ?\d| [`'])/).map((name) => name.trim().replace(/, .*$/, ""));
      for (const [i, example = ""] of examples.entries()) {
        const found = golden[i]?.filter(({ of }) => types.some((name) => isOf(name, of))) ?? [];
        // The type has another name there, and a row of its own.
        if (/^(next row|row before)$/.test(example)) continue;
        if (example === "-") {
          expect(found).toEqual([]);
          continue;
        }
        for (const name of types)
          expect(found.filter(({ of }) => isOf(name, of)).length, name).toBeGreaterThan(0);
        for (const { columns } of found) expect(`\`${columns[0]?.type}\``).toBe(type);
        const text = example.slice(1, -1);
        expect(found.some(({ line }) => line.includes(`[${text}]`))).toBe(true);
        if (!json.startsWith("the")) expect(typeof JSON.parse(text)).toBe(json.split(",")[0]);
      }
    },
  );
});

describe("the table of parameters", () => {
  test("has every type that a value can name", () => {
    const cells = rows(section("Parameters").split("### Types")[1] ?? "").map(([cell = ""]) => cell);
    const named = cells.slice(1).flatMap((cell) => {
      const types = [...cell.matchAll(/`(\w+)`/g)].map(([, type = ""]) => type.toUpperCase());
      return cell.includes("` UNSIGNED`") ? types.flatMap((type) => [type, `${type} UNSIGNED`]) : types;
    });
    expect(named.toSorted()).toEqual([...typeNames, "ARRAY"].toSorted());
  });
});

test("the documented session modes are those of the gateway", () => {
  for (const engine of ["mysql", "mariadb", "tidb"] as const) {
    const state = restingState(dialectOf({ engine }), { time_zone: "+00:00", longestDeadlineMs: 60_000 });
    const modes = /sql_mode = '([^']*)'/.exec(state)?.[1];
    expect(document).toContain(`\`${modes}\``);
    expect(state).toContain("SET NAMES utf8mb4, SESSION collation_connection = ");
    expect(state).toContain("time_zone = '+00:00'");
  }
});
