import { spawn } from "node:child_process";
import { appendFileSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test, vi } from "vitest";
import { packageRoot } from "../../cli/project/paths.ts";
import { freePort } from "../../servers/network.ts";
import type { OwnServer } from "../start/own-server.ts";
import { startOwnServer } from "../start/own-server.ts";
import type { Ended } from "./run.ts";
import { plainEnvironment, type } from "./run.ts";
import { stepsOf } from "./steps.ts";

/**
 * docs/getting-started.md, as a newcomer follows it: an empty folder, the package as a tarball, and a MariaDB with a
 * private CA. The test changes three things of the lines: the tarball in place of the registry, the database's
 * address, and the gateway's port. The password is in a variable, because no person is at the terminal.
 */

// Packages are downloaded where npm's cache has none.
vi.setConfig({ testTimeout: 300_000 });

const { home, tarball } = inject("packed");
const empty = join(home, "newcomer");
const project = join(empty, "my-gateway");
const password = "newcomer's-Secret: @/?#%";
const document = "docs/getting-started.md";
const steps = stepsOf(document);

let database: OwnServer;
let port: number;
let cwd = empty;
/** `tidegate serve`, while it runs. */
let serving: { output(): string; stop(): Promise<void> } | undefined;

beforeAll(async () => {
  mkdirSync(empty);
  copyFileSync(tarball, join(empty, "tidegate-0.1.0.tgz"));
  port = await freePort();
  const directory = join(packageRoot, ".tidegate", "test", "getting-started");
  rmSync(directory, { recursive: true, force: true });
  database = await startOwnServer("mariadb", directory);
  for (const statement of [
    "CREATE DATABASE shop CHARACTER SET utf8mb4",
    `CREATE TABLE shop.orders (id INT PRIMARY KEY, customer VARCHAR(40) NOT NULL, total DECIMAL(8,2) NOT NULL,
       state VARCHAR(10) NOT NULL, KEY (customer))`,
    "INSERT INTO shop.orders VALUES (1, 'Ada', 10.50, 'open'), (2, 'Ada', 20.00, 'paid'), (3, 'Bob', 5.00, 'open')",
  ])
    await database.administrator.query(statement);
  await database.administrator.query("CREATE USER app@'%' IDENTIFIED BY ? REQUIRE SSL", [password]);
  await database.administrator.query("GRANT SELECT ON shop.* TO app@'%'");
}, 240_000);
afterAll(async () => {
  await serving?.stop();
  await database?.stop();
});

/** @returns a line of the page, with what is another here than there */
function here(line: string): string {
  return line
    .replace(/^npx tidegate init /, "npx --yes --package ./tidegate-0.1.0.tgz tidegate init ")
    .replace("app@db.example.com/shop", `app@localhost:${database.server.port}/shop`)
    .replace(/^(npx tidegate connect .*)$/, "$1 --write")
    .replace("127.0.0.1:8787", `127.0.0.1:${port}`)
    .replace(/^(npx tidegate serve .*)$/, `exec $1 --listen 127.0.0.1:${port}`);
}

const environment = {
  npm_config_cache: join(home, "npm"),
  npm_config_prefer_offline: "true",
  TIDEGATE_PASSWORD: password,
};

/** Types lines into one shell. */
async function enter(lines: string[]): Promise<Ended> {
  return await type("bash", ["-ec", lines.map(here).join("\n")], cwd, environment);
}

/** The lines of a section. */
function linesOf(section: RegExp): string[] {
  const found = steps.flatMap((step) => ("line" in step && section.test(step.section) ? [step.line] : []));
  if (found.length === 0) throw new Error(`${document} has no lines in ${section}`);
  return found;
}

/** Puts the files of a section where the page says. */
function writeFiles(section: RegExp): void {
  for (const step of steps) {
    if (!("file" in step) || !section.test(step.section)) continue;
    if (step.append) appendFileSync(join(project, step.file), `\n${step.text}`);
    else writeFileSync(join(project, step.file), step.text);
  }
}

/** Starts the page's server, and waits until it says where it serves. */
async function serve(): Promise<void> {
  const [line = ""] = linesOf(/^4\./);
  const child = spawn("bash", ["-c", here(line)], {
    cwd,
    env: { ...plainEnvironment(), ...environment },
    // A group of its own, as a terminal has it for each line.
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
    });
  }
  const exited = new Promise<void>((resolve) => child.once("close", () => resolve()));
  serving = {
    output: () => output,
    // Ctrl-C.
    async stop() {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGINT");
      serving = undefined;
      await exited;
    },
  };
  await vi.waitUntil(() => output.includes("Serving ") || child.exitCode !== null, {
    timeout: 120_000,
    interval: 100,
  });
  expect(output).toContain(`Serving production at http://127.0.0.1:${port}`);
}

test("the page has 8 commands from the empty folder to an answer", () => {
  const commands = steps.filter((step) => "line" in step && !step.line.startsWith("cd "));
  expect(commands.length).toBeLessThanOrEqual(8);
});

test("1. init and npm install make a project", async () => {
  const ended = await enter(linesOf(/^1\./));
  expect([ended.status, ended.stdout, ended.stderr], ended.stdout + ended.stderr).toEqual([
    0,
    expect.anything(),
    expect.anything(),
  ]);
  cwd = project;
  // The CA is a file that the reader has.
  copyFileSync(database.server.caPath, join(project, "ca.pem"));
});

test("2. connect writes what the page says", async () => {
  const ended = await enter(linesOf(/^2\./));
  expect([ended.status, ended.stdout, ended.stderr], ended.stdout + ended.stderr).toEqual([
    0,
    expect.anything(),
    expect.anything(),
  ]);
  expect(ended.stdout).toContain("The connection works:");
  const [policy, secrets] = ["tidegate.toml", ".dev.vars.production"].map((name) =>
    readFileSync(join(project, name), "utf8"),
  );
  for (const table of ["cluster", "accounts.reader"]) expect(policy).toContain(`[env.production.${table}]`);
  for (const table of ["issuers", "grants"]) expect(policy).toContain(`[[env.production.${table}]]`);
  expect(secrets).toMatch(/^READER_PASSWORD=/m);
  expect(policy + ended.stdout + ended.stderr).not.toContain(password);
});

test("3. the check finds the query good, and locks its columns", async () => {
  writeFiles(/^3\./);
  const ended = await enter(linesOf(/^3\./));
  expect([ended.status, ended.stdout, ended.stderr], ended.stdout + ended.stderr).toEqual([
    0,
    expect.anything(),
    expect.anything(),
  ]);
  expect(ended.stdout).toMatch(/^production, database: good$/m);
  expect(readFileSync(join(project, "queries.lock"), "utf8")).toContain('"open-orders"');
});

test("4. and 5. serve answers curl as the page says", async () => {
  await serve();
  const ended = await enter(linesOf(/^5\./));
  expect([ended.status, ended.stdout, ended.stderr], ended.stdout + ended.stderr).toEqual([
    0,
    expect.anything(),
    expect.anything(),
  ]);
  const answer = JSON.parse(ended.stdout);
  expect(answer.rows).toEqual([{ id: 1, total: "10.50", state: "open" }]);
  expect(answer.columns[0]).toMatchObject({ name: "id", type: "INT", nullable: false });
  const page = readFileSync(join(packageRoot, document), "utf8");
  expect(page).toContain(`"rows":${JSON.stringify(answer.rows)}`);
  const bare = await fetch(`http://127.0.0.1:${port}/v1/queries/open-orders`);
  expect(bare.status).toBe(401);
});

test("6. a page: /docs is there, and the named origin may ask", async () => {
  writeFiles(/^6\./);
  await serving?.stop();
  await serve();
  const docs = await fetch(`http://127.0.0.1:${port}/docs`);
  expect([docs.status, docs.headers.get("content-type")]).toEqual([
    200,
    expect.stringMatching(/^text\/html/),
  ]);
  const script = /src="([^"]+\.js)"/.exec(await docs.text())?.[1] ?? "";
  const asset = await fetch(new URL(script, docs.url));
  expect([asset.status, asset.headers.get("content-type")]).toEqual([
    200,
    expect.stringContaining("javascript"),
  ]);
  const preflight = await fetch(`http://127.0.0.1:${port}/v1/queries/open-orders`, {
    method: "OPTIONS",
    headers: {
      origin: "http://127.0.0.1:8000",
      "access-control-request-method": "GET",
      "access-control-request-headers": "authorization",
    },
  });
  expect(preflight.headers.get("access-control-allow-origin")).toBe("http://127.0.0.1:8000");
  const { output, stop } = serving ?? { output: () => "", stop: async () => {} };
  await stop();
  expect(output()).toContain("Stopping: ");
  expect(output()).not.toContain(password);
});
