import type { Exit } from "../../servers/child.ts";
import type { Workerd } from "./workerd.ts";
import { drainTimeoutMs, exitText } from "./workerd.ts";

/**
 * Waits for workerd's end, or for a signal that ends it.
 * @param say tells the operator
 * @returns the exit code
 */
export async function untilEnd(workerd: Workerd, say: (line: string) => void): Promise<number> {
  let signals = 0;
  let stopped: Promise<Exit> | undefined;
  const onSignal = (name: NodeJS.Signals) => {
    // A terminal that closes sends it to every process; the program that started this one may pass its own on.
    if (name === "SIGHUP" && signals > 0) return;
    signals += 1;
    if (signals > 1) void workerd.kill();
    else {
      say(`Stopping: requests have ${drainTimeoutMs / 1000} s to end. A second signal ends them now.`);
      stopped = workerd.stop();
    }
  };
  const names = ["SIGTERM", "SIGINT", "SIGHUP"] as const;
  for (const name of names) process.on(name, onSignal);
  const exit = await workerd.exited;
  for (const name of names) process.off(name, onSignal);
  if (stopped === undefined) {
    say(`workerd has ended by itself (${exitText(exit)}).`);
    return exit.code || 1;
  }
  if (signals > 1) return 1;
  if (exit.signal !== null) say(`Requests still ran after ${drainTimeoutMs / 1000} s, and were cut.`);
  return 0;
}
