import { chmodSync, existsSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { makeFolder } from "./make-folder.ts";

/**
 * Writes a file, and its folder if there is none. A reader never sees half of the file, and after a failure the file is as
 * it was. A link stays a link: the file that it names is written.
 * @param mode of the file, for one that holds secrets: 0o600. Default: that of the file which is there, or what this
 * process gives to new files
 * @throws the system's error, with the path of the file itself
 */
export function writeWhole(path: string, text: string, mode?: number): void {
  let draft: Draft | undefined;
  try {
    draft = draftOf(path, mode);
    fillDraft(draft, text);
    renameSync(draft.path, draft.target);
  } catch (cause) {
    if (draft) rmSync(draft.path, { force: true });
    throw Object.assign(cause as NodeJS.ErrnoException, { path });
  }
}

/** A file that is written beside its place, and then moved there. */
export interface Draft {
  path: string;
  /** Where it is moved: the file's path with all links followed. */
  target: string;
  mode: number | undefined;
}

/** Makes the folder of a file, and chooses the place and the mode of its draft. @throws the system's error */
export function draftOf(path: string, mode?: number): Draft {
  makeFolder(dirname(path));
  const isThere = existsSync(path);
  const target = isThere ? realpathSync(path) : path;
  return {
    path: `${target}.${process.pid}`,
    target,
    mode: mode ?? (isThere ? statSync(target).mode & 0o7777 : undefined),
  };
}

/** @throws the system's error */
export function fillDraft({ path, mode }: Draft, text: string | Buffer): void {
  writeFileSync(path, text, { mode });
  // The process's mask took bits away from the mode.
  if (mode !== undefined) chmodSync(path, mode);
}
