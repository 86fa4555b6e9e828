/**
 * node cli/run.mjs SCRIPT [ARGUMENTS]: every npm script begins with this. It runs on Node 20 with nothing
 * installed. It installs the packages if package-lock.json is newer than they are. Then it runs the script
 * with the Node that the package supplies, because wrangler needs >= 22.12 and the scripts are TypeScript.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { suppliedNode } from "../bin/supplied-node.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const modules = join(root, "node_modules");

if (isStale()) {
  console.error("Installing the project's packages ...");
  // npm ci would refuse a lock file that was made on a machine where another platform's package was not
  // available.
  const { status } = spawnSync(
    "npm",
    ["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"],
    {
      cwd: root,
      stdio: ["ignore", "inherit", "inherit"],
    },
  );
  if (status !== 0 || isStale()) {
    console.error(
      "npm install failed (its reason stands above). It needs the npm registry; after a half-finished download remove node_modules and try again.",
    );
    process.exit(1);
  }
}

const [script, ...rest] = process.argv.slice(2);
const node = suppliedNode();
const child = spawn(node, [join(root, script), ...rest], {
  stdio: "inherit",
  env: { ...process.env, PATH: [dirname(node), join(modules, ".bin"), process.env.PATH].join(delimiter) },
});
// The terminal sends Ctrl-C to the child too. This process must only live longer than the child.
process.on("SIGINT", () => {});
for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => {
  process.exitCode = code ?? (signal === "SIGINT" ? 130 : 1);
});

function isStale() {
  const installed = join(modules, ".package-lock.json");
  if (!existsSync(installed) || suppliedNode() === undefined) return true;
  return statSync(installed).mtimeMs < statSync(join(root, "package-lock.json")).mtimeMs;
}
