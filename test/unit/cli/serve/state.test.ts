import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { lockState } from "../../../../cli/serve/state.ts";
import { identify } from "../../../../servers/lock.ts";

/** Who may have the folder of the objects' data. It needs the program flock. */

vi.setConfig({ testTimeout: 60_000 });

let state: string;
const path = (name: string) => join(state, name);
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), "state-"));
});
afterEach(() => rmSync(state, { recursive: true, force: true }));

const owner = () => JSON.parse(readFileSync(path("lock/owner.json"), "utf8"));

test("a second gateway is refused until the first has released it", async () => {
  const first = await lockState(state);
  await expect(lockState(state)).rejects.toThrow(`Another gateway keeps its data in ${state} (process`);
  first.release();
  (await lockState(state)).release();
});

test("waits for the workerd of a gateway that was killed", async () => {
  const first = await lockState(state);
  const workerd = spawn("sleep", ["60"], { stdio: ["ignore", "ignore", "ignore", first.file] });
  await new Promise((resolve) => workerd.once("spawn", resolve));
  // Its process goes away, and workerd still has the file.
  first.release();
  let isTaken = false;
  const second = lockState(state).then((taken) => {
    isTaken = true;
    return taken;
  });
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect(isTaken).toBe(false);
  workerd.kill("SIGKILL");
  (await second).release();
});

test("is refused where the process cannot be seen, as from another container", async () => {
  const first = await lockState(state);
  writeFileSync(path("lock/owner.json"), JSON.stringify({ pid: process.pid, startTime: "1" }));
  await expect(lockState(state, 500)).rejects.toThrow(
    `Another gateway keeps its data in ${state} (perhaps in another container). End it`,
  );
  first.release();
  // That gateway is over: its file is free, and its process id counts for nothing.
  const second = await lockState(state);
  expect(owner()).toEqual(identify(process.pid));
  second.release();
});
