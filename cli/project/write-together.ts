import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

export interface FileToWrite {
  path: string;
  text: string;
  /** 0o600 for a file with secrets. Default: what this process gives to new files. */
  mode?: number;
}

/**
 * Writes several files, or none of them. All are written beside their places first, so that a missing right or
 * a full disk is found before anything changes; then they are moved there in their order. If a move fails, the
 * files before it get back what they had.
 * @throws the system's error, with the path of the file itself
 */
export function writeTogether(files: readonly FileToWrite[]): void {
  const drafts: string[] = [];
  const before: (Buffer | undefined)[] = [];
  let at = "";
  try {
    for (const { path, text, mode } of files) {
      at = path;
      mkdirSync(dirname(path), { recursive: true });
      drafts.push(draftOf(path));
      writeFileSync(draftOf(path), text, { mode });
    }
    for (const { path } of files) {
      at = path;
      const content = existsSync(path) ? readFileSync(path) : undefined;
      renameSync(draftOf(path), path);
      before.push(content);
    }
  } catch (cause) {
    for (const draft of drafts) rmSync(draft, { force: true });
    for (const [i, content] of before.entries()) {
      const { path = "" } = files[i] ?? {};
      if (content === undefined) rmSync(path, { force: true });
      else writeFileSync(path, content);
    }
    throw Object.assign(cause as NodeJS.ErrnoException, { path: at });
  }
}

function draftOf(path: string): string {
  return `${path}.${process.pid}`;
}
