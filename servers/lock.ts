import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ServerUnavailableError } from "./errors.ts";

/** A process: its id and, if there is /proc, its start time. The system reuses ids, but not such pairs. */
export interface ProcessIdentity {
  pid: number;
  startTime: string | null;
}

/** The identity of a running process. `startTime` is null without /proc. */
export function identify(pid: number): ProcessIdentity {
  try {
    // Field 22 of stat. The name in field 2 may hold spaces and parentheses, so count after its last
    // parenthesis.
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { pid, startTime: fields[19] ?? null };
  } catch {
    return { pid, startTime: null };
  }
}

/** Whether the same process is still running. A zombie counts as gone. */
export function isAlive(known: ProcessIdentity): boolean {
  try {
    process.kill(known.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ESRCH") return false;
  }
  try {
    const stat = readFileSync(`/proc/${known.pid}/stat`, "utf8");
    if (stat.slice(stat.lastIndexOf(")") + 2).startsWith("Z")) return false;
  } catch {
    // Without /proc, only the signal test above is possible.
  }
  const now = identify(known.pid);
  return known.startTime === null || now.startTime === null || now.startTime === known.startTime;
}

/** A lock that this process holds. */
export interface Lock {
  release(): void;
}

/**
 * Takes the lock directory `path`, or returns the process that holds it. It takes over the lock of a process
 * that is gone. It works between processes of one machine that see each other's ids.
 */
export function tryLock(path: string): Lock | { holder: ProcessIdentity } {
  mkdirSync(dirname(path), { recursive: true });
  // rename() fails if the target directory is not empty. So the lock appears complete or not at all.
  const draft = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
  mkdirSync(draft);
  const own = identify(process.pid);
  writeFileSync(`${draft}/owner.json`, JSON.stringify(own));
  for (;;) {
    try {
      renameSync(draft, path);
      return { release: () => release(path, own) };
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code !== "ENOTEMPTY" && code !== "EEXIST") {
        rmSync(draft, { recursive: true, force: true });
        throw error;
      }
    }
    const owner = ownerOf(path);
    if (owner !== undefined && isAlive(owner)) {
      rmSync(draft, { recursive: true, force: true });
      return { holder: owner };
    }
    discardStale(path, owner);
  }
}

/** @returns the process that holds the lock directory `path`; undefined if no living one does */
export function holderOf(path: string): ProcessIdentity | undefined {
  const owner = ownerOf(path);
  return owner !== undefined && isAlive(owner) ? owner : undefined;
}

/** A process that does not see ours, as in another container, may have taken the lock over. It keeps it. */
function release(path: string, own: ProcessIdentity): void {
  const owner = ownerOf(path);
  if (owner?.pid !== own.pid || owner.startTime !== own.startTime) return;
  rmSync(path, { recursive: true, force: true });
}

function ownerOf(path: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(`${path}/owner.json`, "utf8")) as ProcessIdentity;
  } catch {
    return undefined;
  }
}

/** Moves a dead process's lock away. Puts it back if another live process took the lock in between. */
function discardStale(path: string, dead: ProcessIdentity | undefined): void {
  const away = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, away);
  } catch {
    return;
  }
  const moved = ownerOf(away);
  if (moved !== undefined && moved.pid !== dead?.pid && isAlive(moved)) renameSync(away, path);
  else rmSync(away, { recursive: true, force: true });
}

/**
 * Runs `action` while holding the lock directory `path`; waits for another process's `action` to end.
 * Throws ServerUnavailableError after `waitMs`.
 */
export async function withLock<T>(
  path: string,
  options: { log: (line: string) => void; waitMs: number },
  action: () => Promise<T>,
): Promise<T> {
  const deadlineMs = Date.now() + options.waitMs;
  let lock = tryLock(path);
  if ("holder" in lock) options.log(`waiting for process ${lock.holder.pid}, which holds ${path}`);
  while ("holder" in lock) {
    if (Date.now() > deadlineMs) {
      throw new ServerUnavailableError(
        `process ${lock.holder.pid} has held ${path} for ${options.waitMs} ms: wait for it or end it, then try again`,
      );
    }
    await sleep(200);
    lock = tryLock(path);
  }
  try {
    return await action();
  } finally {
    lock.release();
  }
}
