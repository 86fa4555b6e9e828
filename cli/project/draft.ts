import { chmodSync, renameSync, rmSync, writeFileSync } from "node:fs";

/** A file that is written beside its place, and then moved there. */
export interface Draft {
  path: string;
  /** Where it is moved. */
  target: string;
  /** Undefined for what this process gives to new files. */
  mode: number | undefined;
}

/** @returns the path of a draft: no other process has the same one */
export function besides(target: string): string {
  return `${target}.${process.pid}`;
}

/** @throws the system's error */
export function fillDraft({ path, mode }: Draft, text: string | Buffer): void {
  writeFileSync(path, text, { mode });
  // The process's mask took bits away from the mode.
  if (mode !== undefined) chmodSync(path, mode);
}

/** Writes a draft and moves it to its place, or leaves nothing. @throws the system's error */
export function putDraft(draft: Draft, text: string): void {
  try {
    fillDraft(draft, text);
    renameSync(draft.path, draft.target);
  } catch (cause) {
    rmSync(draft.path, { force: true });
    throw cause;
  }
}
