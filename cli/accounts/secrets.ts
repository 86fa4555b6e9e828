import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
import { readDevVars } from "../project/dev-vars.ts";
import { readDevelopment, secretsFile } from "../project/development.ts";
import { privateDirectory } from "../project/paths.ts";

/**
 * Finds the secrets for scripts that log in. Secrets never come from arguments, because every process can
 * read those.
 */

/**
 * Takes the secret from the environment, from a running `npm start`, from .dev.vars.NAME, or from the terminal.
 * @throws Error that names the secret if there is no terminal to ask at
 */
export async function findSecret(name: string, environment: string): Promise<string> {
  const known =
    process.env[name] ??
    (environment === "development" ? runningSecrets()[name] : undefined) ??
    readDevVars(environment)[name];
  if (known !== undefined && known !== "") return known;
  if (process.stdin.isTTY) return await ask(`${name}: `);
  throw new Error(
    `${name} is not known: set the environment variable ${name}, write ${name}=.. into .dev.vars.${environment}, or run this at a terminal`,
  );
}

function runningSecrets(): Record<string, string | undefined> {
  const path = join(privateDirectory(), "dev", secretsFile);
  if (!readDevelopment() || !existsSync(path)) return {};
  return JSON.parse(readFileSync(path, "utf8"));
}

/** Asks at the terminal, and does not show the typed text. */
async function ask(question: string): Promise<string> {
  process.stderr.write(question);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  try {
    return await terminal.question("");
  } finally {
    terminal.close();
    process.stderr.write("\n");
  }
}
