// Runs on mariadb only: the page's examples are the same on every engine.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packageRoot } from "../../../cli/project/paths.ts";
import { TidegateError } from "../../../client/index.ts";
import type { Page } from "./page.ts";
import { startPage } from "./page.ts";

/** The examples of docs/guides/client.md, one after the other: they compile, run, and print what stands behind them. */

let page: Page;
beforeAll(async () => {
  page = await startPage("client", "client-document", (examples) =>
    examples
      .replaceAll('"tidegate/client"', '"../../../client/index.ts"')
      .replaceAll('"./generated/queries.ts"', '"../../../sample/generated/queries.ts"'),
  );
});
afterAll(() => page?.close());

test("the examples compile, run, and print what the page says", async () => {
  const { printed, expected } = await page.run();
  expect(expected.length).toBeGreaterThan(10);
  expect(printed).toEqual(expected);
});

test("the table of the client's own codes has those of the code", () => {
  const [, table = ""] = /\| code of the client's own \|([\s\S]*?)\n\n/.exec(page.text) ?? [];
  const told = [...table.matchAll(/^\| `(\w+)`/gm)].map(([, code = ""]) => code);
  const files = ["columns", "result", "sender", "transaction"].map((name) =>
    readFileSync(join(packageRoot, `client/${name}.ts`), "utf8"),
  );
  const made = files.flatMap((text) =>
    [...text.matchAll(/ownError\(\s*"(\w+)"/g)].map(([, code = ""]) => code),
  );
  expect([...told].sort()).toEqual([...new Set(made)].sort());
  expect(new TidegateError({ code: "x" }).code).toBe("x");
});
