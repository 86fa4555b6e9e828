import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/**
 * Returns a new path beside `path` for an incomplete file, and removes such files of ended runs. The name is
 * new each time, because a program of a killed run may still write to the old file.
 */
export function freshDraft(path: string): string {
  const folder = dirname(path);
  const prefix = `${basename(path)}.draft-`;
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    if (name.startsWith(prefix)) rmSync(join(folder, name), { recursive: true, force: true, maxRetries: 3 });
  }
  return join(folder, `${prefix}${randomBytes(4).toString("hex")}`);
}

/** The value in one of our JSON files; undefined when the file is missing or incomplete. */
export function readJson<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as T;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
