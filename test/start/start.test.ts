import type { ChildProcess } from "node:child_process";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { root } from "../../scripts/application.ts";
import type { Development } from "../../scripts/development.ts";

/** `npm start` as a newcomer uses it: typed, read, pasted, Ctrl-C. */

const directory = join(root, ".tidegate", "test", "start");
const file = join(directory, "dev.json");
const env = { ...process.env, TIDEGATE_DIRECTORY: directory };
let child: ChildProcess;
let output = "";
let development: Development;

beforeAll(async () => {
  rmSync(file, { force: true });
  const ports = ["--port", "28787", "--issuer-port", "28788", "--database-port", "23306"];
  child = spawn("npm", ["start", "--", ...ports], {
    cwd: root,
    env,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (data) => (output += String(data)));
  await vi.waitFor(() => expect(output).toContain("Ctrl-C stops everything."), {
    timeout: 90_000,
    interval: 100,
  });
  development = JSON.parse(readFileSync(file, "utf8"));
}, 100_000);
afterAll(() => {
  if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
    process.kill(-child.pid, "SIGKILL");
});

/** Pastes a line into a shell. */
function paste(line: string): { status: number; body: string } {
  const { stdout, status } = spawnSync("bash", ["-c", line.replace(/^curl /, "curl -s ")], {
    encoding: "utf8",
    env,
  });
  return { status: status ?? 1, body: stdout };
}

const hasCurl = spawnSync("curl", ["--version"]).status === 0;

describe.runIf(hasCurl)("the printed lines work when pasted", () => {
  test.each(["a saved query", "a statement"])("%s", (what) => {
    const lines = output.split("\n").filter((line) => line.startsWith("curl "));
    expect(lines).toHaveLength(2);
    const { status, body } = paste(lines[what === "a saved query" ? 0 : 1] ?? "");
    expect(status).toBe(0);
    expect(JSON.parse(body).rows.map(({ name }: { name: string }) => name)).toEqual([
      "Tokyo",
      "Yokohama",
      "Osaka",
    ]);
  });

  test("every example of docs/http.md", async () => {
    const blocks = [
      ...readFileSync(join(root, "docs", "http.md"), "utf8").matchAll(/```sh\n(curl [\s\S]*?)```/g),
    ];
    expect(blocks.length).toBeGreaterThanOrEqual(4);
    for (const [, block = ""] of blocks) {
      const settings = `GATEWAY=${development.gateway} TOKEN=${development.tokens.analyst}; `;
      const { body } = paste(settings + block.replace(/^curl /, "curl -s "));
      const answer = JSON.parse(body);
      expect(answer.rows ?? answer.status, block).toBeTruthy();
      if (answer.rows) expect(answer.rows).toHaveLength(2);
    }
  });
});

describe(".tidegate/dev.json tells other tools what runs", () => {
  test("the gateway, the issuer and the tokens", async () => {
    expect(development).toMatchObject({
      gateway: "http://127.0.0.1:28787",
      issuer: "http://127.0.0.1:28788",
    });
    const keys = await (await fetch(development.jwks_uri)).json();
    expect(keys).toMatchObject({ keys: [{ kty: "EC", crv: "P-256" }] });
    expect(JSON.stringify(keys)).not.toContain('"d"');
    expect(JSON.parse(readFileSync(development.signing_key, "utf8"))).toHaveProperty("d");
    expect(Object.keys(development.tokens)).toEqual(["analyst", "editor"]);
  });

  test("the database and the processes", () => {
    const { database, pids } = development;
    expect(database).toMatchObject({ host: "127.0.0.1", port: 23306, administrator: { user: "root" } });
    expect(readFileSync(database.ca, "utf8")).toContain("BEGIN CERTIFICATE");
    for (const pid of Object.values(pids)) expect(isAlive(pid)).toBe(true);
  });

  test("npm run token mints one that the gateway accepts", async () => {
    const script = ["run", "--silent", "token", "--", "--role", "editor", "--sub", "tester"];
    const { stdout } = spawnSync("npm", script, { cwd: root, env, encoding: "utf8" });
    const headers = { authorization: `Bearer ${stdout.trim()}`, "content-type": "application/json" };
    const body = JSON.stringify({ city_id: 1, body: "from a test" });
    const response = await fetch(`${development.gateway}/v1/queries/add-note`, {
      method: "POST",
      headers,
      body,
    });
    expect(response.status).toBe(200);
  });

  test("a second npm start says that one is running", () => {
    const { status, stderr } = spawnSync("npm", ["start"], { cwd: root, env, encoding: "utf8" });
    expect(status).not.toBe(0);
    expect(stderr).toContain("Tidegate is running already: http://127.0.0.1:28787");
    expect(existsSync(file)).toBe(true);
  });
});

test("Ctrl-C stops everything that was started, and the file goes", async () => {
  const ended = new Promise((resolve) => child.once("exit", resolve));
  process.kill(-(child.pid as number), "SIGINT");
  await ended;
  expect(existsSync(file)).toBe(false);
  await expect
    .poll(() => Object.values(development.pids).filter((pid) => isAlive(pid)), { timeout: 10_000 })
    .toEqual([]);
}, 30_000);

function isAlive(pid: number | null): boolean {
  try {
    return pid !== null && process.kill(pid, 0);
  } catch {
    return false;
  }
}
