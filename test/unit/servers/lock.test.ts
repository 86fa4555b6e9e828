import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { freshDraft } from "../../../servers/files.ts";
import { holderOf, identify, isAlive, tryLock, withLock } from "../../../servers/lock.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tidegate-lock-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe("a lock between processes", () => {
  test("has one holder at a time, and names it", () => {
    const path = join(directory, "lock");
    const lock = tryLock(path);
    expect(tryLock(path)).toEqual({ holder: identify(process.pid) });
    if ("release" in lock) lock.release();
    expect("release" in tryLock(path)).toBe(true);
  });

  test("is taken over from a process that is gone, also if its id is in use again", () => {
    const path = join(directory, "lock");
    tryLock(path);
    writeFileSync(join(path, "owner.json"), JSON.stringify({ pid: process.pid, startTime: "1" }));
    expect("release" in tryLock(path)).toBe(true);
    expect(JSON.parse(readFileSync(join(path, "owner.json"), "utf8"))).toEqual(identify(process.pid));
  });

  test("goes to the next process after the action, also after a failed one, and a wait ends in time", async () => {
    const path = join(directory, "lock");
    const options = { log: () => {}, waitMs: 5_000 };
    const order: string[] = [];
    const first = withLock(path, options, async () => {
      order.push("first begins");
      await sleep(50);
      order.push("first ends");
      throw new Error("failed");
    });
    const second = withLock(path, options, async () => order.push("second"));
    await expect(first).rejects.toThrow("failed");
    await second;
    expect(order).toEqual(["first begins", "first ends", "second"]);
    tryLock(path);
    await expect(withLock(path, { log: () => {}, waitMs: 1 }, async () => {})).rejects.toThrow(/has held/);
  });

  test("is not released by a process that has lost it", () => {
    const path = join(directory, "lock");
    const lock = tryLock(path);
    const other = JSON.stringify({ pid: process.ppid, startTime: identify(process.ppid).startTime });
    writeFileSync(join(path, "owner.json"), other);
    if ("release" in lock) lock.release();
    expect(holderOf(path)).toEqual(identify(process.ppid));
  });

  test("an unused process id is not alive", () => {
    expect(isAlive({ pid: 2 ** 22 + 1, startTime: null })).toBe(false);
    expect(isAlive(identify(process.pid))).toBe(true);
  });
});

test("a draft gets a new name each time, and earlier drafts are removed", () => {
  const path = join(directory, "data");
  const first = freshDraft(path);
  writeFileSync(first, "half");
  const second = freshDraft(path);
  expect(second).not.toBe(first);
  expect(() => readFileSync(first)).toThrow();
});
