/** TIDEGATE_HANDOFFS=10000 makes a soak of it. */
export const handoffs = Number(process.env.TIDEGATE_HANDOFFS ?? 600);

const callerCount = 24;
/** Many times the duration on an idle machine. */
export const timeoutMs = (requests: number) => 60_000 + requests * 100;

/** Runs this many requests, a few at a time. @returns everything that was wrong with them */
export async function run(
  total: number,
  request: (at: number, caller: number) => Promise<string | undefined>,
) {
  const wrong: string[] = [];
  let next = 0;
  const worker = async (caller: number) => {
    for (let at = next++; at < total; at = next++) {
      const words = await request(at, caller);
      if (words !== undefined) wrong.push(`request ${at}: ${words}`);
    }
  };
  const started = Date.now();
  await Promise.all(Array.from({ length: callerCount }, (_, caller) => worker(caller)));
  const seconds = (Date.now() - started) / 1000;
  console.log(`  ${total} requests in ${seconds.toFixed(1)} s, ${Math.round(total / seconds)} a second`);
  return wrong;
}
