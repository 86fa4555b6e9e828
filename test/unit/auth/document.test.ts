import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

/** docs/security.md names tests; they must exist by these names. */
const root = join(import.meta.dirname, "..", "..", "..");
const document = readFileSync(join(root, "docs", "security.md"), "utf8").replaceAll("\n", " ");
const named = [...document.matchAll(/(test\/[\w/.-]+\.test\.ts): "([^"]+)"/g)];

test("there are many", () => {
  expect(named.length).toBeGreaterThanOrEqual(15);
});

test.each(named.map(([, file = "", name = ""]) => [file, name]))("%s has: %s", (file, name) => {
  expect(readFileSync(join(root, file), "utf8")).toContain(name);
});
