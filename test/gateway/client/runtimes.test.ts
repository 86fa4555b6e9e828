// Runs on mariadb only: the engine has no part in what a client's runtime does.
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { build } from "esbuild";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { packageProgram, packageRoot } from "../../../cli/project/paths.ts";
import { workerdProgram } from "../../../cli/serve/workerd.ts";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { freePort } from "../../../servers/network.ts";
import { type } from "../../package/run.ts";
import type { Gateway } from "../support/harness.ts";
import { databaseServer, issuers, startGateway, testAccount } from "../support/harness.ts";

/** The client as the package has it, in other runtimes than that of the other tests. The browser: test/browser. */

/** What each runtime does; it gets `createClient`, `url` and `token`, and gives JSON. */
const script = `
  const db = createClient({ url, token, bigint: "bigint" });
  const [{ n }] = await db.sql\`SELECT CAST(\${2n ** 60n} AS SIGNED) AS n\`;
  const cities = await db.query.citiesByCountry({ country: "JP", limit: 2 });
  let streamed = 0;
  for await (const row of db.sql\`SELECT a.id, b.name FROM cities AS a, cities AS b LIMIT 20000\`.stream()) {
    if (row.id > 0) streamed++;
  }
  let left = 0;
  for await (const row of db.sql\`SELECT a.id, b.name FROM cities AS a, cities AS b LIMIT 200000\`.stream()) {
    if (++left === 3) break;
  }
  await db.transaction(async (tx) => {
    await tx.sql\`INSERT INTO notes (city_id, author, body) VALUES (1, 'client-runtimes', \${runtime})\`;
  });
  const code = await db.sql\`SELECT * FROM nowhere\`.catch((error) => error.code);
  const signal = AbortSignal.timeout(300);
  const aborted = await db.sql\`SELECT SLEEP(5)\`.result({ signal }).catch((error) => error === signal.reason);
  const json = JSON.stringify({ n: String(n), cities: cities.map(({ name }) => name), streamed, left, code, aborted });
`;
const expected = {
  n: String(2n ** 60n),
  cities: ["Tokyo", "Yokohama"],
  streamed: 20_000,
  left: 3,
  code: "sql_error",
  aborted: true,
};

let gateway: Gateway;
let administrator: Connection;
let directory: string;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  mkdirSync(join(packageRoot, ".tidegate", "test"), { recursive: true });
  directory = mkdtempSync(join(packageRoot, ".tidegate", "test", "client-"));
  const tsc = packageProgram("typescript", "tsc");
  execFileSync(process.execPath, [
    tsc,
    "-p",
    join(packageRoot, "tsconfig.client.json"),
    "--outDir",
    directory,
  ]);
  gateway = await startGateway({
    accounts: { editor: testAccount("editor") },
    grants: [
      {
        issuer: issuers.remote,
        account: "editor",
        allow: ["query:*", "sql:read", "sql:write", "transaction"],
      },
    ],
  });
});
afterAll(async () => {
  await gateway?.close();
  rmSync(directory, { recursive: true, force: true });
  await administrator?.query("DELETE FROM world.notes WHERE author = 'client-runtimes'");
  await administrator?.end();
});

async function written(runtime: string): Promise<number> {
  const [rows] = await administrator.query<RowDataPacket[]>(
    "SELECT COUNT(*) AS n FROM world.notes WHERE author = 'client-runtimes' AND body = ?",
    [runtime],
  );
  return Number(rows[0]?.n);
}

const listens = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });

const constants = async (runtime: string) =>
  Object.entries({ url: gateway.url.href, token: await gateway.token(), runtime })
    .map(([name, value]) => `const ${name} = ${JSON.stringify(value)};`)
    .join("\n");

test("a Worker that uses the client", async () => {
  const entry = join(directory, "worker.mjs");
  writeFileSync(
    entry,
    `import { createClient } from "./index.js";
export default { async fetch() {
${await constants("workerd")}
${script}
return new Response(json);
} };`,
  );
  const bundle = { bundle: true, format: "esm", outfile: join(directory, "bundle.js") } as const;
  await build({ entryPoints: [entry], ...bundle });
  const port = await freePort();
  // workerd itself: wrangler's test harness sends a Worker's requests through Node, and the Worker cannot read
  // compressed NDJSON then ("Gzip decompression failed"), while it can read text/plain.
  const config = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = (modules = [(name = "main", esModule = embed "bundle.js")], compatibilityDate = "2026-11-01")),
    (name = "internet", network = (allow = ["private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);`;
  writeFileSync(join(directory, "worker.capnp"), config);
  const workerd = spawn(workerdProgram(), ["serve", join(directory, "worker.capnp")], { stdio: "inherit" });
  try {
    await vi.waitUntil(() => listens(port), { timeout: 30_000, interval: 100 });
    const response = await fetch(`http://127.0.0.1:${port}/`);
    expect([response.status, await response.json()]).toEqual([200, expected]);
  } finally {
    workerd.kill();
  }
  expect(await written("workerd")).toBe(1);
});

test("the machine's own Node, with the files as they are packed", async () => {
  writeFileSync(join(directory, "package.json"), '{"type":"module"}');
  writeFileSync(
    join(directory, "script.js"),
    `import { createClient } from "./index.js";
${await constants("node")}
${script}
console.log(json);`,
  );
  // In this process are the issuer's keys, so it may not wait for the other one.
  const { status, stdout, stderr } = await type("node", [join(directory, "script.js")], directory);
  expect([status, stderr]).toEqual([0, ""]);
  expect(JSON.parse(stdout)).toEqual(expected);
  expect(await written("node")).toBe(1);
});
