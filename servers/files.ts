import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/**
 * A name beside `path` for what is not complete yet, after removing what ended runs left there. The name is
 * new each time: a program whose caller was killed may still be writing to the last one.
 */
export function freshDraft(path: string): string {
  const folder = dirname(path);
  const prefix = `${basename(path)}.draft-`;
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    if (name.startsWith(prefix)) rmSync(join(folder, name), { recursive: true, force: true, maxRetries: 3 });
  }
  return join(folder, `${prefix}${randomBytes(4).toString("hex")}`);
}

/** The value in a JSON file of our own, or undefined when it is missing or was written in half. */
export function readJson<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as T;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
