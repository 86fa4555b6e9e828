import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { resolve } from "node:path";
import { createInterface, type Interface } from "node:readline/promises";
import { Writable } from "node:stream";
import { text as readAll } from "node:stream/consumers";
import { Stop } from "../command/errors.ts";

/**
 * The questions that `npm run connect` asks, and what it reads from standard input. Questions go to stderr.
 */

export const isTerminal = process.stdin.isTTY === true;

/** @returns the piped text, or the pasted text: it may have several lines, and an empty line ends it */
export async function readConnectionString(): Promise<string> {
  if (!isTerminal) return await readAll(process.stdin);
  console.error("Paste the connection string, then press Enter twice:");
  const terminal = open(process.stderr);
  const lines: string[] = [];
  for await (const line of terminal) {
    if (line.trim() === "") break;
    lines.push(line);
  }
  terminal.close();
  return lines.join("\n");
}

/** @returns the password: typed without echo, or the first line of the piped text */
export async function readPassword(user: string): Promise<string> {
  if (!isTerminal) return (await readAll(process.stdin)).split(/\r?\n/)[0] ?? "";
  // readline echoes the typed text to its output, so the output discards everything. The question is
  // written to stderr.
  const terminal = open(new Writable({ write: (_chunk, _encoding, done) => done() }));
  process.stderr.write(`Password of ${user}: `);
  try {
    return await answer(terminal, "");
  } finally {
    terminal.close();
    process.stderr.write("\n");
  }
}

/** @returns the answer to a question */
export async function ask(question: string): Promise<string> {
  const terminal = open(process.stderr);
  try {
    return (await answer(terminal, question)).trim();
  } finally {
    terminal.close();
  }
}

function open(output: NodeJS.WritableStream): Interface {
  const terminal = createInterface({ input: process.stdin, output, terminal: true });
  terminal.once("SIGINT", () => process.exit(130));
  return terminal;
}

/** @throws Stop at the end of the input (Ctrl-D), because readline never answers then */
async function answer(terminal: Interface, question: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    terminal.once("close", () => reject(new Stop("Nothing was written.")));
    terminal.question(question).then(resolve, reject);
  });
}

/**
 * @param path relative to the directory where the user typed the command; npm changes to the project's
 * directory
 * @throws Error with the reason in words
 */
export function readUserFile(path: string): string {
  const from = process.env.INIT_CWD ?? process.cwd();
  const absolute = resolve(from, path.replace(/^~(?=\/)/, homedir()));
  try {
    return readFileSync(absolute, "utf8");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new Error(code === "ENOENT" ? "is not there" : `cannot be read (${code})`);
  }
}
