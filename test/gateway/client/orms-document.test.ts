// Runs on mariadb only: the page's examples are the same on every engine.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Connection } from "mysql2/promise";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { packageProgram, packageRoot } from "../../../cli/project/paths.ts";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { Gateway } from "../support/harness.ts";
import { databaseServer, issuers, startGateway, testAccount } from "../support/harness.ts";

/** The examples of docs/guides/orms.md, one after the other: they compile, run, and print what stands behind them. */

const page = readFileSync(join(packageRoot, "docs/guides/orms.md"), "utf8");
const blocks = [...page.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, text = ""]) => text);
const printed = /console\.log\(.*\); \/\/ (.+)$/gm;

let administrator: Connection;
let gateway: Gateway;
let directory: string;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  const allow = ["query:*", "sql:read", "sql:write", "transaction"];
  gateway = await startGateway({
    accounts: { editor: testAccount("editor") },
    grants: [{ issuer: issuers.remote, account: "editor", allow }],
  });
  directory = mkdtempSync(join(packageRoot, ".tidegate/test/orms-document-"));
});
afterAll(async () => {
  await gateway?.close();
  rmSync(directory, { recursive: true, force: true });
  await administrator?.query("DELETE FROM world.notes WHERE author = 'orms'");
  await administrator?.end();
});

test("the examples compile, run, and print what the page says", async () => {
  const token = () => gateway.token({ sub: "orms-document" });
  const file = join(directory, "page.ts");
  const text = blocks.join("\n").replaceAll(/"tidegate\/(kysely|drizzle)"/g, '"../../../client/$1/index.ts"');
  const around = `declare global {
  var gateway: string;
  var session: { token: string; renew(): Promise<string> };
}
`;
  writeFileSync(file, around + text);
  const config = { extends: "../../../tsconfig.node.json", include: ["page.ts"] };
  writeFileSync(join(directory, "tsconfig.json"), JSON.stringify(config));
  execFileSync(process.execPath, [packageProgram("typescript", "tsc"), "-p", directory], {
    stdio: "inherit",
  });

  Object.assign(globalThis, { gateway: gateway.url.href, session: { token: await token(), renew: token } });
  const lines: string[] = [];
  const log = vi.spyOn(console, "log").mockImplementation((...values) => {
    lines.push(values.map((value) => JSON.stringify(value) ?? "undefined").join(" "));
  });
  try {
    await import(pathToFileURL(file).href);
  } finally {
    log.mockRestore();
  }
  const expected = [...text.matchAll(printed)].map(([, line]) => line);
  expect(expected.length).toBeGreaterThan(6);
  expect(lines).toEqual(expected);
});
