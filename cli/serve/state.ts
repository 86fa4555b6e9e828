import { spawnSync } from "node:child_process";
import { accessSync, closeSync, constants, openSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { holderOf, tryLock } from "../../servers/lock.ts";
import { Stop } from "../command/errors.ts";
import { makeFolder } from "../project/make-folder.ts";

/** The folder of the objects' data, for one gateway alone: two would break each other's databases. */
export interface State {
  /** An open file: the folder is in use until every process that has it has ended. workerd inherits it. */
  file: number;
  release(): void;
}

/** A workerd whose gateway was killed ends within 10 s. */
const workerdEndsMs = 15_000;

/**
 * Makes the folder, and takes it for this process and for those that inherit the file.
 * @param patienceMs how long it waits for a process that it cannot see
 * @throws Stop if another gateway has it, or if this user may not write there
 */
export async function lockState(path: string, patienceMs = workerdEndsMs): Promise<State> {
  const file = openFolder(path);
  try {
    await takeFile(path, file, patienceMs);
    const lock = tryLock(join(path, "lock"));
    if ("holder" in lock) throw taken(path, lock.holder.pid);
    return {
      file,
      release() {
        lock.release();
        closeSync(file);
      },
    };
  } catch (cause) {
    closeSync(file);
    throw cause;
  }
}

/**
 * A process id says nothing in another container, so the system locks the file too. Node.js has no call for it, and the
 * program flock has: what it locks stays locked after its end, as the open file is ours.
 */
async function takeFile(path: string, file: number, patienceMs: number): Promise<void> {
  const isFree = () => {
    const { status } = spawnSync("flock", ["-n", "3"], { stdio: ["ignore", "ignore", "ignore", file] });
    // Where there is no such program (macOS), or no such lock (some network disks), the process id must do.
    return status !== 1;
  };
  const deadlineMs = Date.now() + patienceMs;
  while (!isFree()) {
    const holder = holderOf(join(path, "lock"));
    if (holder !== undefined) throw taken(path, holder.pid);
    if (Date.now() > deadlineMs) throw taken(path);
    await sleep(200);
  }
}

function taken(path: string, pid?: number): Stop {
  const who = pid === undefined ? "perhaps in another container" : `process ${pid}`;
  return new Stop(
    `Another gateway keeps its data in ${path} (${who}). End it, or name another folder with --state.`,
  );
}

function openFolder(path: string): number {
  try {
    makeFolder(path, 0o700);
    accessSync(path, constants.W_OK);
    return openSync(join(path, "in-use"), "a", 0o600);
  } catch (cause) {
    throw new Stop(
      `Cannot write into ${path} (${(cause as NodeJS.ErrnoException).code}). Name another folder with --state.`,
    );
  }
}
