import { globSync, readFileSync } from "node:fs";
import { defineConfig } from "vitest/config";
import type { Engine } from "./servers/database/engines.ts";

/** The first line of a gateway test whose subject is the same on every engine: once is enough. */
const onlyOn = /^\/\/ Runs on (\w+) only: /;

const all = "test/gateway/*.test.ts";

/** The gateway tests that say themselves that they run on another engine. */
function elsewhere(engine: Engine): string[] {
  return globSync("test/gateway/*.test.ts").filter((file) => {
    const [, only = engine] = onlyOn.exec(readFileSync(file, "utf8")) ?? [];
    return only !== engine;
  });
}

/** What only one engine has: proxy users, for one. */
const own = (engine: Engine) => `test/gateway/${engine}/*.test.ts`;

/** @param name the engine's, or with "-only" behind it for a part with a server of its own */
const gateway = (name: string, engine: Engine, include: string[]) => ({
  test: {
    name,
    exclude: elsewhere(engine),
    include,
    globalSetup: "test/gateway/setup.ts",
    provide: { engine },
    // One workerd and one database server are enough for a core.
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // What a busy machine does late it does all the same.
    expect: { poll: { timeout: 15_000 } },
  },
});

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
      gateway("mysql", "mysql", [all, own("mysql")]),
      gateway("mariadb", "mariadb", [all, own("mariadb")]),
      // Two parts, side by side: together they would take more than ten minutes.
      gateway("tidb", "tidb", [all]),
      gateway("tidb-only", "tidb", [own("tidb")]),
    ],
  },
});
