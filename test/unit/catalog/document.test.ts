import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { lineTags } from "../../../src/catalog/header.ts";
import { readParameters } from "../../../src/catalog/parameters.ts";
import { parseQuery } from "../../../src/catalog/parse.ts";
import { toProblem } from "../../../src/errors.ts";
import { publicError } from "../../../src/routes/errors.ts";

/** docs/queries.md says what the code does. */

const document = readFileSync(join(import.meta.dirname, "../../../docs/queries.md"), "utf8");
const blocks = (language: string) =>
  [...document.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "g"))].map(
    ([, text = ""]) => text,
  );

/** @returns the first cells of the rows of tables below a heading */
function firstCells(heading: string): string[] {
  const [, section = ""] = document.split(`\n## ${heading}\n`);
  const [own = ""] = section.split(/\n##+ /);
  return own.split("\n").flatMap((line) => /^\| (`.*?) \|/.exec(line)?.[1] ?? []);
}

describe("docs/queries.md", () => {
  test.each(blocks("sql"))("has queries that are good: %#", (text) => {
    expect(() => parseQuery("q.sql", text)).not.toThrow();
  });

  test("has a row for each line of a head", () => {
    const named = new Set(firstCells("The file").flatMap((cell) => /^`(@\w+)/.exec(cell)?.[1] ?? []));
    expect([...named].sort()).toEqual([...lineTags].sort());
  });

  test("has a row for each option of @param, with an example that is good", () => {
    const [, section = ""] = document.split("\n## Parameters\n");
    const rows = section
      .split("\n### ")[0]
      ?.split("\n")
      .flatMap((line) => (/^\| `/.test(line) ? [line.split(" | ")] : []));
    const options = (rows ?? []).flatMap(([first = ""]) =>
      [...first.matchAll(/`([a-z]+)/g)].map(([, word]) => word),
    );
    expect(options.sort()).toEqual([
      "default",
      "enum",
      "items",
      "length",
      "max",
      "min",
      "pattern",
      "required",
    ]);
    const types: Record<string, string> = {
      default: "integer",
      min: "integer",
      items: "string[]",
      enum: "string",
    };
    for (const row of rows ?? []) {
      const [, option = ""] = /^\| `([a-z]+)/.exec(row[0] ?? "") ?? [];
      const [, example = ""] = /`(.*)` \|$/.exec(row.at(-1) ?? "") ?? [];
      const text = `-- @param a ${types[option] ?? "string"} ${example}\nSELECT 1 FROM t WHERE x IN (:a)`;
      expect(() => parseQuery("q.sql", text), text).not.toThrow();
    }
  });

  test("shows the problem document of its first query", () => {
    const query = parseQuery("q.sql", blocks("sql")[0] ?? "");
    const [shown = "{}"] = blocks("json");
    try {
      readParameters(query, new URLSearchParams("country=nz&limit=0"), "query-string");
    } catch (cause) {
      expect(toProblem(publicError(cause), "…")).toEqual(JSON.parse(shown));
      return;
    }
    throw new Error("the parameters were good");
  });
});
