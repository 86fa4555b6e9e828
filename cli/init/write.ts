import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { Stop } from "../command/errors.ts";

/** These may be in the folder of a new project: what `npm install tidegate`, `npm init` and `git init` leave there. */
const welcome = ["package.json", "package-lock.json", "node_modules", ".git"];

/**
 * @param directory the folder of a new project, which need not exist
 * @throws Stop that names what is in the way
 */
export function refuseFilesInTheWay(directory: string): void {
  let names: string[];
  try {
    names = readdirSync(directory).filter((name) => !welcome.includes(name));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return;
    throw notWritten(directory, cause);
  }
  if (names.length === 0) return;
  const shown = names.sort().slice(0, 5).join(", ");
  const more = names.length > 5 ? ` and ${names.length - 5} more` : "";
  throw new Stop(`${directory} has files already: ${shown}${more}. Name a new folder, or an empty one.`, 2);
}

/**
 * Writes all files, or none: they are made in a folder of their own, and then moved to their places.
 * @param files the text of each file by its path in `directory`
 * @throws Stop that says why nothing was written
 */
export function writeProject(directory: string, files: Readonly<Record<string, string>>): void {
  let made: string | undefined;
  let draft: string | undefined;
  const moved: string[] = [];
  try {
    made = mkdirSync(directory, { recursive: true });
    // In the same folder, so that it is on the same disk.
    draft = mkdtempSync(join(directory, ".init-"));
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(draft, path)), { recursive: true });
      writeFileSync(join(draft, path), text);
    }
    // package.json is the last: it may replace one, and nothing can fail after it.
    const names = readdirSync(draft).sort(
      (a, b) => Number(a === "package.json") - Number(b === "package.json"),
    );
    for (const name of names) {
      renameSync(join(draft, name), join(directory, name));
      moved.push(name);
    }
    rmSync(draft, { recursive: true });
  } catch (cause) {
    const unwanted = made === undefined ? [...moved.map((name) => join(directory, name)), draft] : [made];
    for (const path of unwanted) if (path !== undefined) rmSync(path, { recursive: true, force: true });
    throw notWritten(directory, cause);
  }
}

function notWritten(directory: string, cause: unknown): Stop {
  const { code = "", message } = cause as NodeJS.ErrnoException;
  const reason: Record<string, string> = {
    EACCES: "you have no right to write there",
    EPERM: "you have no right to write there",
    EROFS: "the disk is read-only",
    ENOSPC: "the disk is full",
    ENOTDIR: "it is a file, or below one",
    EEXIST: "it is a file",
  };
  return new Stop(`${directory} cannot be written: ${reason[code] ?? message}. Nothing was written.`, 2);
}
