import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { projectFile } from "../project/paths.ts";

const intervalMs = 100;

/**
 * Looks at the files of a project that the build reads, until the process ends. It compares names, times and sizes
 * instead of waiting for events: these are lost when a folder is replaced, and on many shared file systems.
 * @param changed called after files have changed and are at rest, one call at a time. One save, or several at once, are
 * one call; a change during a call leads to another.
 */
export async function watchProject(root: string, changed: () => Promise<void>): Promise<never> {
  let seen = stateOf(root);
  for (;;) {
    let now = await later(root);
    if (now === seen) continue;
    for (let before = seen; now !== before; ) {
      before = now;
      now = await later(root);
    }
    seen = now;
    await changed();
  }
}

async function later(root: string): Promise<string> {
  await sleep(intervalMs, undefined, { ref: false });
  return stateOf(root);
}

function stateOf(root: string): string {
  const folders = ["queries", "ca"].map((name) => join(root, name));
  const files = [
    ...folders.flatMap(filesIn),
    ...["queries.lock", projectFile].map((name) => join(root, name)),
  ];
  return files.map(describe).sort().join("\n");
}

/** @returns the paths of all files and folders in a folder; none if there is no such folder */
function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true }).map((name) => join(folder, String(name)));
  } catch {
    return [];
  }
}

/** The inode differs after an editor has put a new file in the place of the old one. */
function describe(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  return found ? `${path} ${found.mtimeMs} ${found.size} ${found.ino}` : path;
}
