import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Writes a file, and its folder if there is none. A reader never sees half of the file, and after a failure the file is as
 * it was.
 * @param mode of the file, for one that holds secrets: 0o600
 * @throws the system's error, with the path of the file itself
 */
export function writeWhole(path: string, text: string, mode?: number): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}`;
  try {
    writeFileSync(temporary, text, { mode });
    renameSync(temporary, path);
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw Object.assign(cause as NodeJS.ErrnoException, { path });
  }
}
