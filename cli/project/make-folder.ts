import { existsSync, mkdirSync } from "node:fs";
import { join, sep } from "node:path";
import { besides, putDraft } from "./draft.ts";

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
  if (existsSync(ignore)) return;
  try {
    putDraft({ path: besides(ignore), target: ignore, mode: undefined }, "*\n");
  } catch (cause) {
    throw Object.assign(cause as NodeJS.ErrnoException, { path: ignore });
  }
}
