import { defineConfig } from "vitest/config";

/** Who calls, whose keys, and what a rogue does: the same whichever server stands behind. Once is enough. */
const withoutEngine = [
  "callers,connect-failures,dpop,hostile-tokens,issuers,key-ages,key-outage,keys",
  "limiter-outage,origins,rate,tls,wall",
];

const gateway = (engine: "mysql" | "mariadb") => ({
  test: {
    name: engine,
    exclude: engine === "mariadb" ? [`test/gateway/{${withoutEngine.join(",")}}.test.ts`] : [],
    include: [
      "test/gateway/*.test.ts",
      // What only one engine has, proxy users for one.
      `test/gateway/${engine}/*.test.ts`,
    ],
    globalSetup: "test/gateway/setup.ts",
    provide: { engine },
    // One workerd and one database server are enough for two cores.
    fileParallelism: false,
    testTimeout: 30_000,
    hookTimeout: 120_000,
  },
});

export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["test/unit/**/*.test.ts"], testTimeout: 30_000 } },
      { test: { name: "start", include: ["test/start/*.test.ts"], testTimeout: 30_000 } },
      {
        test: {
          name: "browser",
          include: ["test/browser/*.test.ts"],
          globalSetup: "test/browser/setup.ts",
          testTimeout: 30_000,
        },
      },
      gateway("mysql"),
      gateway("mariadb"),
    ],
  },
});
