/**
 * The load generator, in a separate process, so that its CPU time is not counted for the servers or the
 * bench.
 */
import autocannon from "autocannon";
import { percentiles } from "./figures.ts";
import type { ChildTask, KeptSeries, LoadResult, Ring } from "./load.ts";
import type { ExpectedAnswer, LoadRequest } from "./request.ts";
import { asSent, isExpected } from "./request.ts";

/** Things that are used in turn, over and over, by all connections together. */
class Turn<Item> {
  readonly #items: readonly Item[];
  #next = 0;

  constructor(items: readonly Item[]) {
    this.#items = items;
  }

  next(): Item {
    const item = this.#items[this.#next];
    if (item === undefined) throw new Error("there is nothing to send");
    this.#next = (this.#next + 1) % this.#items.length;
    return item;
  }
}

const rings = new Map<string, Turn<string>>();
const series = new Map<number, Turn<LoadRequest>>();

process.on("message", (message: ChildTask | KeptSeries | Ring) => {
  if ("tokens" in message) {
    rings.set(message.ring, new Turn(message.tokens));
  } else if ("requests" in message) {
    series.set(message.series, new Turn(message.requests));
  } else {
    measure(message).then(
      (result) => process.send?.(result),
      (cause: unknown) => {
        console.error(cause);
        process.exit(1);
      },
    );
  }
});

/** autocannon keeps it from a request of a connection to the answer. */
interface Context {
  expected?: ExpectedAnswer;
}

function measure(task: ChildTask): Promise<LoadResult> {
  const { url, headers, status: expectedStatus = 200, connections, durationSeconds } = task;
  const requests = kept(series, task.series);
  const tokens = task.ring === undefined ? undefined : kept(rings, task.ring);
  const latenciesMs: number[] = [];
  let notOk = 0;
  let wrongAnswers = 0;
  let firstWrong: string | undefined;

  /** All connections share the turn: each would otherwise ask for the same keys at the same time. */
  function setupRequest(request: autocannon.Request, context: Context): autocannon.Request {
    const next = requests.next();
    context.expected = next.expectedAnswer;
    const authorization = tokens && { authorization: `Bearer ${tokens.next()}` };
    return { ...request, path: next.path, ...asSent(next, { ...headers, ...authorization }) };
  }

  function onResponse(_status: number, answer: string, { expected }: Context): void {
    if (expected !== undefined && isExpected(answer, expected)) return;
    wrongAnswers += 1;
    firstWrong ??= answer.slice(0, 500);
  }

  return new Promise((resolve, reject) => {
    // autocannon stops only at a sample. With its default interval of a second, a run of 3 s could take 4 s.
    const options = { url, connections, sampleInt: 50, duration: durationSeconds };
    const run = autocannon({ ...options, requests: [{ setupRequest, onResponse }] }, (error, result) => {
      if (error) return reject(error);
      resolve({
        requests: latenciesMs.length,
        durationSeconds: result.duration,
        ...percentiles(latenciesMs),
        notOk,
        wrongAnswers,
        errors: result.errors,
        ...(firstWrong === undefined ? {} : { firstWrong }),
      });
    });
    // autocannon's own histogram has only whole milliseconds.
    run.on("response", (_client: unknown, status: number, _bytes: number, latencyMs: number) => {
      if (status === expectedStatus) latenciesMs.push(latencyMs);
      else notOk += 1;
    });
    run.on("reqError", (error: Error) => {
      firstWrong ??= error.message;
    });
  });
}

function kept<Key, Item>(turns: Map<Key, Turn<Item>>, key: Key): Turn<Item> {
  const turn = turns.get(key);
  if (!turn) throw new Error(`${key} is missing: the load generator was not sent it`);
  return turn;
}
