import { existsSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import type { Draft } from "./draft.ts";
import { fillDraft } from "./draft.ts";
import { draftOf } from "./write-whole.ts";

export interface FileToWrite {
  path: string;
  /** Undefined for a file that is removed. */
  text: string | undefined;
  /** 0o600 for a file with secrets. Default: that of the file which is there, or what this process gives to new files. */
  mode?: number;
}

/**
 * Writes several files, or none of them. All are written beside their places first, so that a missing right or
 * a full disk is found before anything changes; then they are moved there in their order. If a move fails, the
 * files before it get back what they had. A link stays a link: the file that it names is written.
 * @throws the system's error, with the path of the file itself
 */
export function writeTogether(files: readonly FileToWrite[]): void {
  const drafts: Draft[] = [];
  const done: (() => void)[] = [];
  let at = "";
  try {
    const moves = files.map(({ path, text, mode }) => {
      at = path;
      if (text === undefined) return { path, target: path, act: () => rmSync(path) };
      const draft = draftOf(path, mode);
      drafts.push(draft);
      fillDraft(draft, text);
      return { path, target: draft.target, act: () => renameSync(draft.path, draft.target) };
    });
    for (const { path, target, act } of moves) {
      at = path;
      const undo = restorer(target);
      act();
      done.push(undo);
    }
  } catch (cause) {
    for (const { path } of drafts) rmSync(path, { force: true });
    for (const undo of done.reverse()) undo();
    throw Object.assign(cause as NodeJS.ErrnoException, { path: at });
  }
}

/** @returns what gives a file back its content and mode of now */
function restorer(path: string): () => void {
  if (!existsSync(path)) return () => rmSync(path, { force: true });
  const content = readFileSync(path);
  const draft = { path, target: path, mode: statSync(path).mode & 0o7777 };
  return () => fillDraft(draft, content);
}
