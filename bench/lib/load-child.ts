/**
 * The load generator, in a separate process, so that its CPU time is not counted for the servers or the
 * bench.
 */
import autocannon from "autocannon";
import { percentiles } from "./figures.ts";
import type { LoadResult, LoadTask, Ring } from "./load.ts";

const rings = new Map<string, { tokens: string[]; next: number }>();

process.on("message", (task: LoadTask | Ring) => {
  if ("tokens" in task) {
    rings.set(task.ring, { tokens: task.tokens, next: 0 });
    return;
  }
  measure(task).then(
    (result) => process.send?.(result),
    (cause: unknown) => {
      console.error(cause);
      process.exit(1);
    },
  );
});

function measure(task: LoadTask): Promise<LoadResult> {
  const { url, headers, body, status: expected = 200, connections, durationSeconds } = task;
  const latenciesMs: number[] = [];
  let notOk = 0;
  let firstWrong: string | undefined;
  return new Promise((resolve, reject) => {
    // autocannon stops only at a sample. With its default interval of a second, a run of 3 s could take 4
    // s.
    const options = { url, headers, connections, sampleInt: 50, duration: durationSeconds };
    const verifyBody = (text: string) => text === body;
    const bearer = task.ring === undefined ? {} : { requests: [{ setupRequest: bringNext(task.ring) }] };
    const run = autocannon({ ...options, ...bearer, verifyBody }, (error, result) => {
      if (error) return reject(error);
      resolve({
        requests: latenciesMs.length,
        durationSeconds: result.duration,
        ...percentiles(latenciesMs),
        notOk,
        wrongBodies: result.mismatches,
        errors: result.errors,
        ...(firstWrong === undefined ? {} : { firstWrong }),
      });
    });
    // autocannon's own histogram has only whole milliseconds.
    run.on("response", (_client: unknown, status: number, _bytes: number, latencyMs: number) => {
      if (status === expected) latenciesMs.push(latencyMs);
      else notOk += 1;
    });
    run.on("reqMismatch", (text: string) => {
      firstWrong ??= text.slice(0, 500);
    });
    run.on("reqError", (error: Error) => {
      firstWrong ??= error.message;
    });
  });
}

/** @returns a function that gives each request the next token */
function bringNext(name: string) {
  const ring = rings.get(name);
  if (!ring) throw new Error(`the tokens ${name} are missing`);
  return (request: { headers: Record<string, string> }) => {
    const token = ring.tokens[ring.next];
    ring.next = (ring.next + 1) % ring.tokens.length;
    return { ...request, headers: { ...request.headers, authorization: `Bearer ${token}` } };
  };
}
