import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { expect, inject, test, vi } from "vitest";
import type { Development } from "../../cli/project/development.ts";
import { packageProgram } from "../../cli/project/paths.ts";
import { plainEnvironment, type } from "./run.ts";

/** A project from its first command to an upgrade, as somebody has it who has the package and nothing else. */

// Packages are downloaded where npm's cache has none.
vi.setConfig({ testTimeout: 300_000 });

const { home, tarball, newer, newerVersion } = inject("packed");
const empty = join(home, "somewhere");
mkdirSync(empty);
const project = join(empty, "my-gateway");
const npm = { npm_config_cache: join(home, "npm"), npm_config_prefer_offline: "true" };
/** What `npx tidegate` runs in the project. */
const tidegate = (...words: string[]) => type(join(project, "node_modules/.bin/tidegate"), words, project);

/** @returns the content of every file that is the user's own, by its path */
function ownFiles(): Record<string, string> {
  const paths = readdirSync(project, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(project, join(entry.parentPath, entry.name)))
    .filter((path) => !/^(node_modules|\.tidegate|\.wrangler)\/|^package(-lock)?\.json$/.test(path));
  return Object.fromEntries(paths.map((path) => [path, readFileSync(join(project, path), "utf8")]));
}

test("init writes a project into an empty folder", async () => {
  const words = ["--yes", "--package", tarball, "tidegate", "init", "my-gateway"];
  const { status, stdout, stderr } = await type("npx", words, empty, npm);
  expect([status, stdout], stderr).toEqual([
    0,
    expect.stringContaining("Next:\n  cd my-gateway\n  npm install\n  npm start\n"),
  ]);
  expect(Object.keys(ownFiles()).sort()).toEqual([
    ...[".gitignore", "README.md", "ca/README.md", "queries.lock", "queries/hello.sql"],
    ...["test/gateway.mjs", "test/hello.test.mjs", "tidegate.toml"],
  ]);
  const { name, dependencies } = JSON.parse(readFileSync(join(project, "package.json"), "utf8"));
  expect([name, dependencies]).toEqual(["my-gateway", { tidegate: `file:${relative(project, tarball)}` }]);
});

test("npm install installs it, and runs the scripts that it needs", async () => {
  const { status, stderr } = await type("npm", ["install", "--no-audit", "--no-fund"], project, npm);
  expect([status, stderr]).toEqual([0, expect.not.stringMatching(/allow-?scripts|install scripts/i)]);
  const { version } = JSON.parse(readFileSync(join(project, "node_modules/tidegate/package.json"), "utf8"));
  expect((await tidegate("--version")).stdout).toBe(`${version}\n`);
});

test("start answers a query", async () => {
  const description = join(project, ".tidegate", "dev.json");
  const child = spawn(join(project, "node_modules/.bin/tidegate"), ["start", "--engine", "mariadb"], {
    cwd: project,
    env: plainEnvironment(),
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      output += chunk;
    });
  }
  const exited = new Promise<number | null>((resolve) => child.once("close", resolve));
  try {
    const isThere = () => existsSync(description) || child.exitCode !== null;
    await expect.poll(isThere, { timeout: 240_000 }).toBe(true);
    expect(child.exitCode, output).toBe(null);
    const { gateway } = JSON.parse(readFileSync(description, "utf8")) as Development;
    const token = await tidegate("token", "--role", "analyst");
    expect(token.status, token.stderr).toBe(0);
    const response = await fetch(`${gateway}/v1/queries/hello?name=Ada`, {
      headers: { authorization: `Bearer ${token.stdout.trim()}` },
    });
    expect([response.status, await response.json()]).toEqual([200, { greeting: "Hello, Ada!" }]);
  } finally {
    child.kill();
  }
  expect(await exited, output).toBe(0);
});

test("check finds nothing wrong with what init wrote", async () => {
  const { status, stdout, stderr } = await tidegate("check", "--env", "development");
  expect([status, stderr], stdout).toEqual([0, ""]);
});

test("after a build, a plain wrangler deploy bundles five objects and the WebAssembly", async () => {
  await expectDeployable();
});

async function expectDeployable(): Promise<void> {
  const built = await tidegate("build", "--env", "development");
  expect(built.status, built.stderr).toBe(0);
  const words = ["wrangler", "deploy", "--dry-run", "--outdir", ".tidegate/out"];
  const { status, stdout, stderr } = await type("npx", words, project, npm);
  expect(status, stdout + stderr).toBe(0);
  for (const name of ["Pool", "Keys", "Limiter", "Proofs", "Idempotency"]) expect(stdout).toContain(name);
  expect(readdirSync(join(project, ".tidegate/out")).some((name) => name.endsWith("tls.wasm"))).toBe(true);
}

test("its own tests pass", async () => {
  const { status, stdout, stderr } = await type("npm", ["test"], project, npm);
  expect([status, stdout], stdout + stderr).toEqual([0, expect.stringMatching(/^# pass 2$|^ℹ pass 2$/m)]);
});

test("a Worker of one's own is typed", async () => {
  const text = `import worker, * as objects from "tidegate/worker";
const answer: Promise<Response> = worker.fetch(new Request("https://gateway.example/livez"), {} as never, {} as never);
class Own extends objects.Pool {}
// @ts-expect-error there is no such object
objects.Nothing;
export { Own, answer };
`;
  writeFileSync(join(project, "own.ts"), text);
  const strict = [
    "--strict",
    "--noEmit",
    "--module",
    "nodenext",
    "--target",
    "es2024",
    "--types",
    "",
    "own.ts",
  ];
  const ended = await type(process.execPath, [packageProgram("typescript", "tsc"), ...strict], project);
  expect([ended.status, ended.stdout]).toEqual([0, ""]);
});

test("a newer version changes none of the project's files, and works", async () => {
  const before = ownFiles();
  const { status, stderr } = await type("npm", ["install", newer, "--no-audit", "--no-fund"], project, npm);
  expect(status, stderr).toBe(0);
  expect((await tidegate("--version")).stdout).toBe(`${newerVersion}\n`);
  await expectDeployable();
  expect(ownFiles()).toEqual(before);
});

test("another version than the project's own runs no command in it", async () => {
  const words = ["--yes", "--package", tarball, "tidegate", "check", "--env", "development"];
  const { status, stdout, stderr } = await type("npx", words, project, npm);
  // npm warns of packages that want a newer Node than the user's.
  const lines = stderr.split("\n").filter((line) => line !== "" && !line.startsWith("npm warn"));
  expect([status, stdout, lines]).toEqual([
    2,
    "",
    [expect.stringContaining(`the project has ${newerVersion}`)],
  ]);
});
