import { globSync, readFileSync } from "node:fs";
import { defineConfig } from "vitest/config";
import { engines } from "./test/servers/engines.ts";

type Engine = (typeof engines)[number];

/** The first line of a gateway test whose subject is the same on every engine: once is enough. */
const onlyOn = /^\/\/ Runs on (\w+) only: /;

/** The gateway tests that say themselves that they run on another engine. */
function elsewhere(engine: Engine): string[] {
  return globSync("test/gateway/*.test.ts").filter((file) => {
    const [, only = engine] = onlyOn.exec(readFileSync(file, "utf8")) ?? [];
    return only !== engine;
  });
}

const gateway = (engine: Engine) => ({
  test: {
    name: engine,
    exclude: elsewhere(engine),
    include: [
      "test/gateway/*.test.ts",
      // What only one engine has, proxy users for one.
      `test/gateway/${engine}/*.test.ts`,
    ],
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
      ...engines.map(gateway),
    ],
  },
});
