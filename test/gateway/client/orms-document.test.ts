// Runs on mariadb only: the page's examples are the same on every engine.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Page } from "./page.ts";
import { startPage } from "./page.ts";

/** The examples of docs/guides/orms.md, one after the other: they compile, run, and print what stands behind them. */

let page: Page;
beforeAll(async () => {
  page = await startPage("orms", "orms", (examples) =>
    examples.replaceAll(/"tidegate\/(kysely|drizzle)"/g, '"../../../client/$1/index.ts"'),
  );
});
afterAll(() => page?.close());

test("the examples compile, run, and print what the page says", async () => {
  const { printed, expected } = await page.run();
  expect(expected.length).toBeGreaterThan(6);
  expect(printed).toEqual(expected);
});
