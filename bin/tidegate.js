#!/usr/bin/env node
/**
 * The program `tidegate` of the package. npm starts it with the user's own Node; from Node 20 on it finds the one that
 * runs the command.
 */
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { delimiter, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { suppliedNode } from "./supplied-node.js";

const script = fileURLToPath(new URL("../dist/cli/tidegate.js", import.meta.url));
/** These need no wrangler, only what Node 20.12 has (import.meta.dirname, the parentPath of a folder's entries). */
const isSmall = [undefined, "init", "--help", "--version"].includes(process.argv[2]);
/** wrangler needs 22.12. */
const oldest = isSmall ? [20, 12] : [22, 12];

if (isNewEnough(process.versions.node)) {
  await import(script);
} else {
  const node = suppliedNode();
  if (node === undefined) {
    console.error(
      `${["tidegate", ...process.argv.slice(2, 3)].join(" ")} needs Node ${oldest.join(".")} or newer, and this is ${process.versions.node}: install it (https://nodejs.org), or install tidegate with its optional dependencies, which have one.`,
    );
    process.exitCode = 2;
  } else forward(node);
}

function isNewEnough(version) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > oldest[0] || (major === oldest[0] && minor >= oldest[1]);
}

/** Runs the command with another Node, which the programs that it starts find first, and ends as it ends. */
function forward(node) {
  const PATH = `${dirname(node)}${delimiter}${process.env.PATH ?? ""}`;
  const child = spawn(node, [script, ...process.argv.slice(2)], {
    stdio: "inherit",
    env: { ...process.env, PATH },
  });
  child.once("error", (error) => {
    console.error(`${node} does not start (${error.code}): install Node ${oldest.join(".")} or newer.`);
    process.exitCode = 2;
  });
  // The terminal sends Ctrl-C to the child too. This process must only live longer than the child.
  process.on("SIGINT", () => {});
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.once("exit", (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal];
  });
}
