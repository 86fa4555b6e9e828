/** The load generator, in a process of its own so that its work is not the servers' or the bench's. */
import autocannon from "autocannon";
import type { LoadResult, LoadTask } from "./load.ts";

process.on("message", (task: LoadTask) => {
  measure(task).then(
    (result) => process.send?.(result),
    (cause: unknown) => {
      console.error(cause);
      process.exit(1);
    },
  );
});

function measure({ url, headers, body, connections, durationSeconds }: LoadTask): Promise<LoadResult> {
  const latenciesMs: number[] = [];
  let notOk = 0;
  let firstWrong: string | undefined;
  return new Promise((resolve, reject) => {
    // autocannon stops at a sample: with its own interval, a second, a run of 3 s may take 4 s.
    const options = { url, headers, connections, expectBody: body, sampleInt: 50, duration: durationSeconds };
    const run = autocannon(options, (error, result) => {
      if (error) return reject(error);
      latenciesMs.sort((a, b) => a - b);
      const percentile = (part: number) => latenciesMs[Math.floor((latenciesMs.length - 1) * part)] ?? 0;
      resolve({
        requests: latenciesMs.length,
        durationSeconds: result.duration,
        p50Ms: percentile(0.5),
        p99Ms: percentile(0.99),
        notOk,
        wrongBodies: result.mismatches,
        errors: result.errors,
        ...(firstWrong === undefined ? {} : { firstWrong }),
      });
    });
    // autocannon's own histogram has whole milliseconds only.
    run.on("response", (_client: unknown, status: number, _bytes: number, latencyMs: number) => {
      if (status === 200) latenciesMs.push(latencyMs);
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
