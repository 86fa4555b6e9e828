import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

/** docs/reliability.md names tests; they must exist by these names. */
const root = join(import.meta.dirname, "../../../../..");
const document = readFileSync(join(root, "docs", "reliability.md"), "utf8").replaceAll("\n", " ");
const files = [...document.matchAll(/test\/[\w/.-]+\.test\.ts/g)].map(([file]) => file);
const named = [...document.matchAll(/(test\/[\w/.-]+\.test\.ts): "([^"]+)"/g)];

test("there are many", () => {
  expect(named.length).toBeGreaterThanOrEqual(10);
});

test.each([...new Set(files)])("%s is there", (file) => {
  expect(existsSync(join(root, file))).toBe(true);
});

test.each(named.map(([, file = "", name = ""]) => [file, name]))("%s has: %s", (file, name) => {
  expect(readFileSync(join(root, file), "utf8")).toContain(name);
});
