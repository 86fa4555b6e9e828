import { accessSync, constants, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Lock } from "../../servers/lock.ts";
import { tryLock } from "../../servers/lock.ts";
import { Stop } from "../command/errors.ts";

/**
 * Makes the folder of the objects' data, for this process alone: two would break the other's databases.
 * @throws Stop if another process has it, or if this user may not write there
 */
export function lockState(path: string): Lock {
  makeFolder(path);
  const lock = tryLock(join(path, "lock"));
  if (!("holder" in lock)) return lock;
  throw new Stop(
    `Another gateway keeps its data in ${path} (process ${lock.holder.pid}). End it, or name another folder with --state.`,
  );
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    accessSync(path, constants.W_OK);
  } catch (cause) {
    throw new Stop(
      `Cannot write into ${path} (${(cause as NodeJS.ErrnoException).code}). Name another folder with --state.`,
    );
  }
}
