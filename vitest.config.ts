import { defineConfig } from "vitest/config";

/**
 * Who calls, whose keys, and what a rogue does is the same whichever server stands behind: once is enough. Each of
 * the two engines has a part of these files, so that both take about as long (they run side by side).
 */
const once = {
  mysql: [
    "bounds,callers,compression,dpop,eviction,expiry,gone,hostile-sizes,issuers,key-ages,key-outage,keys,limiter-outage,metrics,origins",
    "rate,shards,streaming,two-servers,wall",
  ],
  mariadb: [
    "connect-failures,failover,formats,hostile-answers,hostile-tokens,idempotency,idempotency-faults,link-failures,overload",
    "tls,tls-settings",
  ],
};

const gateway = (engine: "mysql" | "mariadb") => ({
  test: {
    name: engine,
    exclude: [`test/gateway/{${once[engine === "mysql" ? "mariadb" : "mysql"].join(",")}}.test.ts`],
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
