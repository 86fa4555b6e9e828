import type { Connection } from "mysql2/promise";
import { expect } from "vitest";
import type { CountingProxy } from "../../../servers/wire/proxy.ts";
import { restored } from "../support/commands.ts";
import type { Answer } from "../support/harness.ts";
import type { Callers } from "./isolation.ts";

/** Requests that all wait for one connection, so that it serves them one after the other without a pause. */

export interface Asked {
  sql: string;
  params?: unknown[];
}

export interface Burst {
  answers: Answer[];
  /** What the server got: `restore`, `run` (EXECUTE) or `prepare`, from the restore before the first request on. */
  steps: string[];
}

const words: Readonly<Record<string, string>> = {
  COM_RESET_CONNECTION: "restore",
  COM_STMT_EXECUTE: "run",
};

/** @param callers have one connection, which leads through the proxy */
export function burstsOf(callers: Callers, proxy: CountingProxy, administrator: Connection) {
  /**
   * Another caller sends each request. The connection serves them in this order.
   * @param meanwhile runs when all requests wait
   */
  async function burst(asked: readonly Asked[], meanwhile?: () => Promise<unknown>): Promise<Burst> {
    await administrator.query("SELECT GET_LOCK('gate', 10)");
    const gate = callers.ask("a gatekeeper", "SELECT GET_LOCK('gate', 10) AS opened");
    await expect.poll(() => callers.metric("tidegate_pool_connections", 'state="busy"')).toBe(1);
    const answers: Promise<Answer>[] = [];
    for (const [at, { sql, params }] of asked.entries()) {
      answers.push(callers.ask(`caller ${at}`, sql, params));
      await expect.poll(() => callers.metric("tidegate_pool_waiting"), { timeout: 5_000 }).toBe(at + 1);
    }
    await meanwhile?.();
    const mark = proxy.mark();
    await administrator.query("SELECT RELEASE_LOCK('gate')");
    expect(Number((await gate).body.rows[0].opened)).toBe(1);
    const ended = await Promise.all(answers);
    await restored(proxy);
    const steps = mark.commands.flatMap(({ command }) => words[command] ?? []);
    // TiDB waits for the lock in the gatekeeper's PREPARE, and its EXECUTE comes after that.
    return { answers: ended, steps: steps.slice(steps.indexOf("restore")) };
  }

  /** Asks until the restores prepare these statements ahead, and the server was asked about them. */
  async function heat(...asked: readonly Asked[]): Promise<void> {
    for (let i = 0; i < 8; i++) {
      for (const { sql, params } of asked) await callers.ask("a heater", sql, params);
    }
    await restored(proxy);
  }

  return { burst, heat };
}

/** @returns the steps of so many statements in one run */
export function oneRun(statements: number): string[] {
  return ["restore", ...Array<string>(statements).fill("run"), "restore"];
}

/** @returns the steps of so many statements, each followed by a restore */
export function restoredEach(statements: number): string[] {
  return ["restore", ...Array.from({ length: statements }, () => ["run", "restore"]).flat()];
}
