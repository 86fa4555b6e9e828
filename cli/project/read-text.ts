import { readFileSync } from "node:fs";
import { Stop } from "../command/errors.ts";

/** Reads a file that an operator may have moved or changed. @throws the system's error, always with the path */
export function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    // A folder in place of the file is found while reading, when the system no longer knows the path.
    throw Object.assign(cause as NodeJS.ErrnoException, { path });
  }
}

/** @throws as `readText`; Stop if the file is not JSON */
export function readJson(path: string): unknown {
  const text = readText(path);
  try {
    return JSON.parse(text);
  } catch {
    // The parser's message would quote the file.
    throw new Stop(`${path} is not JSON: correct it; if Tidegate has written it, remove it.`);
  }
}
