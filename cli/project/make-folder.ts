import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, sep } from "node:path";

/** The folder of all that Tidegate generates in a project. */
export const generatedFolder = ".tidegate";

/**
 * Makes a folder, and those above it, where there is none. git ignores `.tidegate` of a project from then on, also where
 * the project has no .gitignore: a private key may be in it.
 * @param mode of new folders
 * @throws the system's error
 */
export function makeFolder(path: string, mode?: number): void {
  mkdirSync(path, { recursive: true, mode });
  const parts = path.split(sep);
  const at = parts.lastIndexOf(generatedFolder);
  if (at < 0) return;
  const ignore = join(parts.slice(0, at + 1).join(sep), ".gitignore");
  if (!existsSync(ignore)) writeIgnore(ignore);
}

/** As `writeWhole`, which makes its folder here. */
function writeIgnore(path: string): void {
  const temporary = `${path}.${process.pid}`;
  try {
    writeFileSync(temporary, "*\n");
    renameSync(temporary, path);
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw Object.assign(cause as NodeJS.ErrnoException, { path });
  }
}
