/**
 * node cli/run.mjs SCRIPT [ARGUMENTS]: what every npm script begins with. Runs on Node 20 with nothing
 * installed: installs the packages if package-lock.json is newer than they are, then runs the script with
 * the Node that the project brings (wrangler needs >= 22.12, and it runs TypeScript).
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const modules = join(root, "node_modules");
const node = join(modules, "node", "bin", "node");

if (isStale()) {
  console.error("Installing the project's packages ...");
  // Not npm ci: it refuses a lock file that was made where a package of another platform was not to be had.
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
const child = spawn(node, [join(root, script), ...rest], {
  stdio: "inherit",
  env: { ...process.env, PATH: join(modules, ".bin") + delimiter + process.env.PATH },
});
// Ctrl-C reaches the child by itself; this process only has to outlive it.
process.on("SIGINT", () => {});
for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => {
  process.exitCode = code ?? (signal === "SIGINT" ? 130 : 1);
});

function isStale() {
  const installed = join(modules, ".package-lock.json");
  if (!existsSync(installed) || !existsSync(node)) return true;
  return statSync(installed).mtimeMs < statSync(join(root, "package-lock.json")).mtimeMs;
}
