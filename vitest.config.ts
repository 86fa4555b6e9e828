import { globSync, readFileSync } from "node:fs";
import { defineConfig } from "vitest/config";
import { onlyEngine } from "./cli/dev/quick/test-engine.ts";
import type { Engine } from "./servers/database/engines.ts";

/** Tests for one engine only are in a folder with its name, for example those of proxy users. */
const own = (engine: Engine) => `test/gateway/${engine}/*.test.ts`;

/** @returns the gateway tests that do not run on this engine, by their folder or by their first line */
function elsewhere(engine: Engine): string[] {
  return globSync("test/gateway/**/*.test.ts").filter((file) => {
    return (onlyEngine(file, readFileSync(file, "utf8")) ?? engine) !== engine;
  });
}

/** Files whose gateway needs a Worker with a changed part, which only wrangler's test harness takes. */
function onHarnessOnly(): string[] {
  if (process.env.TIDEGATE_TEST_RUNTIME !== "serve") return [];
  const files = globSync("test/gateway/**/*.test.ts");
  return files.filter((file) =>
    /\bentry: "|\bhyperdrive[:,]|\/through-hyperdrive\.ts"/.test(readFileSync(file, "utf8")),
  );
}

/** @param part the engine's name, or with "-only" after it for a part with its own server */
const gateway = (part: string, engine: Engine, include: string[], exclude: string[] = []) => ({
  test: {
    name: part,
    exclude: [...elsewhere(engine), ...onHarnessOnly(), ...exclude],
    include,
    globalSetup: "test/gateway/support/setup.ts",
    provide: { engine },
    // One workerd and one database server are enough for a core.
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // A busy machine is slow, but still gets there.
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
          // Each file starts everything.
          fileParallelism: false,
          // A busy machine is slow, but still gets there.
          testTimeout: 120_000,
        },
      },
      {
        test: {
          name: "package",
          include: ["test/package/*.test.ts"],
          // The files share one tarball.
          globalSetup: "test/package/setup.ts",
          testTimeout: 60_000,
          // To pack takes a TypeScript compilation.
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "browser",
          include: ["test/browser/*.test.ts"],
          // Each file starts everything.
          fileParallelism: false,
          globalSetup: "test/browser/setup.ts",
          testTimeout: 30_000,
        },
      },
      gateway("mysql", "mysql", all),
      gateway("mariadb", "mariadb", all),
      // Two parts, side by side, because together they would take more than ten minutes.
      gateway("tidb", "tidb", all, [own("tidb")]),
      gateway("tidb-only", "tidb", [own("tidb")]),
    ],
  },
});
