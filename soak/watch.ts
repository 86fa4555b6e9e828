import type { Connection } from "mysql2/promise";
import type { MemorySample } from "../bench/lib/memory.ts";
import { memoryOf } from "../bench/lib/memory.ts";
import type { Database } from "./database.ts";
import { connectionsOf } from "./database.ts";
import type { ConnectionSample } from "./health.ts";

const intervalMs = 250;

export interface WatchOptions {
  database: Database;
  users: readonly string[];
  pid: number | undefined;
  nowMs: () => number;
}

/** Watches from outside, a few times a second: the server's connections, and workerd's memory. */
export class Watch {
  readonly connections: ConnectionSample[] = [];
  readonly memory: MemorySample[] = [];
  readonly #options: WatchOptions;
  #administrator: Connection | undefined;
  #timer: NodeJS.Timeout | undefined;
  #looking = false;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.#look(), intervalMs);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#administrator?.destroy();
  }

  async #look(): Promise<void> {
    const { database, users, pid, nowMs } = this.#options;
    if (pid !== undefined) this.memory.push(...memoryOf(pid, nowMs()));
    if (this.#looking) return;
    this.#looking = true;
    try {
      this.#administrator ??= await database.administrator();
      this.connections.push({
        atMs: nowMs(),
        byUser: count(await connectionsOf(this.#administrator, users)),
      });
    } catch {
      // The server is down, so it has no connections.
      this.#administrator?.destroy();
      this.#administrator = undefined;
    } finally {
      this.#looking = false;
    }
  }
}

/** @returns the number of connections per user */
export function count(connections: readonly { user: string }[]): Record<string, number> {
  const byUser: Record<string, number> = {};
  for (const { user } of connections) byUser[user] = (byUser[user] ?? 0) + 1;
  return byUser;
}
