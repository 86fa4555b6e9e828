import type { ChildProcess } from "node:child_process";
import { spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { packageProgram, packageRoot } from "../../cli/project/paths.ts";
import { wranglerVariables } from "../../cli/project/wrangler.ts";
import { freePort } from "../../servers/network.ts";
import type { NpmStart } from "./npm-start.ts";
import { npmStart } from "./npm-start.ts";

/** A change of a project's files while its gateway runs. The project is a copy, so the checkout stays as it is. */

const directory = join(packageRoot, ".tidegate", "test", "reload");
const project = join(directory, "project");
const patient = { timeout: 60_000 };
const goesOn = "The gateway goes on with what it had before.";

beforeAll(() => {
  rmSync(project, { recursive: true, force: true });
  mkdirSync(project, { recursive: true });
  for (const name of ["tidegate.toml", "queries"])
    cpSync(join(packageRoot, "sample", name), join(project, name), { recursive: true });
  const start = `node "${join(packageRoot, "cli", "run.mjs")}" cli/tidegate.ts start`;
  writeFileSync(join(project, "package.json"), JSON.stringify({ scripts: { start } }));
});

/** Saves a query as many editors do: a new file takes the place of the old one. */
function save(name: string, text: string): void {
  const path = join(project, "queries", `${name}.sql`);
  writeFileSync(`${path}~`, text);
  renameSync(`${path}~`, path);
}

function remove(name: string): void {
  rmSync(join(project, "queries", `${name}.sql`));
}

describe("npm start", () => {
  let started: NpmStart;
  beforeAll(async () => {
    const ports = { gateway: 29787, issuer: 29788, page: 29789, database: 24306 };
    started = await npmStart(directory, ports, undefined, project);
  }, 200_000);
  afterAll(() => started?.interrupt(), 30_000);

  /** Asks as the editor, whose grant has query:*. @returns the first row of the answer, or the code of its problem */
  async function ask(name: string): Promise<unknown> {
    const { gateway, tokens } = started.development;
    const authorization = `Bearer ${tokens.editor}`;
    const response = await fetch(`${gateway}/v1/queries/${name}`, { headers: { authorization } });
    const { rows, code } = (await response.json()) as { rows?: unknown[]; code?: string };
    return code ?? rows?.[0];
  }
  /** Waits for a line that was not there before, behind the time. */
  async function line(text: string, times = 1): Promise<void> {
    const found = () => started.output.split("\n").filter((line) => line.endsWith(` s] ${text}`)).length;
    await expect.poll(found, patient).toBe(times);
  }
  /** @returns how often the gateway has begun anew */
  function reloads(): number {
    const log = readFileSync(join(directory, "dev", "gateway.log"), "utf8");
    return log.split("Reloading local server").length - 1;
  }

  test("serves a new query, an edited one, and no longer a removed one, and says so", async () => {
    expect(await ask("fresh")).toBe("query_unknown");
    save("fresh", "SELECT 'one' AS word");
    await line("queries/fresh.sql is new: GET /v1/queries/fresh");
    expect(await ask("fresh")).toEqual({ word: "one" });
    save("fresh", "SELECT 'two' AS word");
    save("second", "SELECT 'at once' AS word");
    await line("queries/fresh.sql has changed: GET /v1/queries/fresh");
    await line("queries/second.sql is new: GET /v1/queries/second");
    expect([await ask("fresh"), await ask("second")]).toEqual([{ word: "two" }, { word: "at once" }]);
    remove("second");
    await line("queries/second.sql is removed: GET /v1/queries/second is gone");
    expect(await ask("second")).toBe("query_unknown");
  }, 240_000);

  test("a broken file is named with its line, and the gateway goes on until it is repaired", async () => {
    const before = reloads();
    save("fresh", "SELECT 'three' AS word,\n  :unknown AS other");
    await line(goesOn);
    expect(started.output).toMatch(/ s\] queries\/fresh\.sql:2:.* :unknown is not declared/);
    expect(await ask("fresh")).toEqual({ word: "two" });
    expect(reloads()).toBe(before);
    save("fresh", "SELECT 'four' AS word");
    await line("The mistakes are gone.");
    await line("queries/fresh.sql has changed: GET /v1/queries/fresh", 2);
    expect(await ask("fresh")).toEqual({ word: "four" });
  }, 240_000);

  test("takes a change of the policy, and keeps the old one while the new one is broken", async () => {
    const path = join(project, "tidegate.toml");
    const policy = readFileSync(path, "utf8");
    writeFileSync(path, `${policy}\nx = [`);
    await line(goesOn, 2);
    expect(started.output).toMatch(/ s\] tidegate\.toml:\d+:\d+: Invalid TOML document/);
    expect(await ask("fresh")).toEqual({ word: "four" });
    writeFileSync(path, policy.replaceAll('"query:*"', '"query:country"'));
    await line("tidegate.toml, [env.development] has changed");
    expect(await ask("fresh")).toBe("access_denied");
  }, 240_000);

  test("no stack is printed", () => {
    expect(started.output).not.toMatch(/^\s+at /m);
  });
});

describe("wrangler dev of an environment", () => {
  let child: ChildProcess;
  let output = "";
  let url: string;
  beforeAll(async () => {
    writeFileSync(join(project, ".dev.vars.staging"), "ANALYST_PASSWORD=a\nEDITOR_PASSWORD=e\n");
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    const environment = { ...process.env, TIDEGATE_DIRECTORY: undefined };
    const tidegate = join(packageRoot, "cli", "tidegate.ts");
    const build = [tidegate, "build", "--env", "staging"];
    spawnSync(process.execPath, build, { cwd: project, env: environment, stdio: "inherit" });
    const config = ["--config", ".tidegate/staging/wrangler.json", "--env-file", ".dev.vars.staging"];
    const ports = ["--ip", "127.0.0.1", "--port", String(port), "--inspector-port", "0"];
    child = spawn(packageProgram("wrangler"), ["dev", ...config, ...ports], {
      cwd: project,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...environment, ...wranglerVariables() },
    });
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (data) => (output += String(data)));
    await vi.waitUntil(() => output.includes("Ready on "), patient);
  }, 200_000);
  afterAll(() => {
    if (child?.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  });

  const isAlive = async () => (await fetch(`${url}/livez`)).status;

  test("says what a change is, and answers while a file is broken", async () => {
    save("staged", "SELECT 1 AS one");
    const address = "GET /v1/queries/staged";
    await expect.poll(() => output, patient).toContain(`queries/staged.sql is new: ${address}`);
    save("staged", "SELECT :unknown AS one");
    await expect.poll(() => output, patient).toContain(goesOn);
    expect(output).toMatch(/queries\/staged\.sql:1:.* :unknown is not declared/);
    expect(await isAlive()).toBe(200);
    save("staged", "SELECT 2 AS two");
    await expect.poll(() => output, patient).toContain("The mistakes are gone.");
    await expect.poll(() => output, patient).toContain(`queries/staged.sql has changed: ${address}`);
    expect(await isAlive()).toBe(200);
    expect(output).not.toMatch(/^\s+at /m);
  }, 240_000);
});
