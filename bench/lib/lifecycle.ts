import { complain } from "../../cli/command/errors.ts";

/** A process or a server that a bench has started. */
interface Started {
  stop(): unknown;
}

/** Everything that must be stopped, in the order of the start. */
const running: Started[] = [];

/** Has `runBench` stop this when the bench ends. @returns the same */
export function stopAtEnd<T extends Started>(started: T): T {
  running.push(started);
  return started;
}

/**
 * Runs a bench. Then it stops everything that the bench has started, the latest first, and ends the process.
 * The exit code is 1 after a failure, and 130 after a signal.
 */
export async function runBench(bench: () => Promise<void>): Promise<never> {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));
  try {
    await bench();
  } catch (cause) {
    process.exitCode = complain(cause);
  } finally {
    for (const started of running.reverse()) await started.stop();
  }
  // Also ends processes of a start that failed half-way.
  process.exit();
}
