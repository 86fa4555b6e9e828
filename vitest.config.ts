import { globSync, readFileSync } from "node:fs";
import { defineConfig } from "vitest/config";
import { onlyEngine } from "./cli/dev/quick/test-engine.ts";
import type { Engine } from "./servers/database/engines.ts";

/** What only one engine has stands in a folder of its name: proxy users, for one. */
const own = (engine: Engine) => `test/gateway/${engine}/*.test.ts`;

/** @returns the gateway tests that do not run on this engine, by their folder or by their first line */
function elsewhere(engine: Engine): string[] {
  return globSync("test/gateway/**/*.test.ts").filter((file) => {
    return (onlyEngine(file, readFileSync(file, "utf8")) ?? engine) !== engine;
  });
}

/** @param part the engine's name, or with "-only" behind it for a part with a server of its own */
const gateway = (part: string, engine: Engine, include: string[], exclude: string[] = []) => ({
  test: {
    name: part,
    exclude: [...elsewhere(engine), ...exclude],
    include,
    globalSetup: "test/gateway/support/setup.ts",
    provide: { engine },
    // One workerd and one database server are enough for a core.
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // What a busy machine does late it does all the same.
    expect: { poll: { timeout: 15_000 } },
  },
});

const all = ["test/gateway/**/*.test.ts"];

export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["test/unit/**/*.test.ts"], testTimeout: 30_000 } },
      {
        test: {
          name: "start",
          include: ["test/start/*.test.ts"],
          // Each starts everything.
          fileParallelism: false,
          testTimeout: 30_000,
        },
      },
      {
        test: {
          name: "browser",
          include: ["test/browser/*.test.ts"],
          globalSetup: "test/browser/setup.ts",
          testTimeout: 30_000,
        },
      },
      gateway("mysql", "mysql", all),
      gateway("mariadb", "mariadb", all),
      // Two parts, side by side: together they would take more than ten minutes.
      gateway("tidb", "tidb", all, [own("tidb")]),
      gateway("tidb-only", "tidb", [own("tidb")]),
    ],
  },
});
