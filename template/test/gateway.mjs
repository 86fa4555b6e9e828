import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const project = fileURLToPath(new URL("..", import.meta.url));
const packageFile = createRequire(import.meta.url).resolve("tidegate/package.json");
/** A folder of its own: a running `npm start` is not disturbed. */
const directory = join(project, ".tidegate", "test");

/**
 * Starts `tidegate start`: a database with sample data, an issuer of tokens and the gateway. The first start on a
 * machine installs the database server, which takes a minute or more.
 * @returns the gateway's URL, a token for each role, and a function that stops everything
 */
export async function startGateway() {
  const description = join(directory, "dev.json");
  rmSync(description, { force: true });
  let output = "";
  const child = spawn(process.execPath, [join(dirname(packageFile), "bin", "tidegate.js"), "start"], {
    cwd: project,
    env: { ...process.env, TIDEGATE_DIRECTORY: directory },
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  let ended = false;
  const exited = new Promise((resolve) => child.once("close", resolve)).then(() => (ended = true));
  while (!existsSync(description)) {
    if (ended) throw new Error(`tidegate start has ended:\n${output}`);
    await sleep(100);
  }
  const { gateway, tokens } = JSON.parse(readFileSync(description, "utf8"));
  const stop = async () => {
    child.kill();
    await exited;
  };
  return { url: gateway, tokens, stop };
}
