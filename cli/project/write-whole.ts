import { existsSync, realpathSync, statSync } from "node:fs";
import { dirname } from "node:path";
import type { Draft } from "./draft.ts";
import { besides, putDraft } from "./draft.ts";
import { makeFolder } from "./make-folder.ts";

/**
 * Writes a file, and its folder if there is none. A reader never sees half of the file, and after a failure the file is as
 * it was. A link stays a link: the file that it names is written.
 * @param mode of the file, for one that holds secrets: 0o600. Default: that of the file which is there, or what this
 * process gives to new files
 * @throws the system's error, with the path of the file itself
 */
export function writeWhole(path: string, text: string, mode?: number): void {
  try {
    putDraft(draftOf(path, mode), text);
  } catch (cause) {
    throw Object.assign(cause as NodeJS.ErrnoException, { path });
  }
}

/**
 * Makes the folder of a file, and chooses the place and the mode of its draft. The draft is moved to the file that a link
 * names.
 * @throws the system's error
 */
export function draftOf(path: string, mode?: number): Draft {
  makeFolder(dirname(path));
  const isThere = existsSync(path);
  const target = isThere ? realpathSync(path) : path;
  return {
    path: besides(target),
    target,
    mode: mode ?? (isThere ? statSync(target).mode & 0o7777 : undefined),
  };
}
