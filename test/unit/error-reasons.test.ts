import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { section } from "./errors-document.ts";

const read = (path: string) => readFileSync(join(import.meta.dirname, "../../src", path), "utf8");
const source = read("sql/errors.ts");
const paging = read("routes/paging.ts");

/** @returns the words of a string union in the source. */
function union(name: string): string[] {
  const body = new RegExp(`type ${name} =([^;]*);`).exec(source)?.[1] ?? "";
  return [...body.matchAll(/"(\w+)"/g)].map(([, word]) => word ?? "");
}

test("docs/reference/errors.md names exactly the reasons of the source", () => {
  const own = [...paging.matchAll(/"(\w+_invalid)"/g)].map(([, word]) => word ?? "");
  const reasons = [
    ...union("StatementReason"),
    ...union("ParameterReason"),
    ...["no_grant_matches", "grant_does_not_allow"],
    ...new Set(own.filter((word) => word !== "parameter_invalid")),
  ];
  expect(reasons.length).toBeGreaterThan(10);
  const named = section("Reasons")
    .split("\n")
    .filter((line) => line.startsWith("- "))
    .flatMap((line) => [...(line.split(":")[0] ?? "").matchAll(/`([a-z_]+)`/g)].map(([, word]) => word));
  expect(named.sort()).toEqual(reasons.sort());
});
