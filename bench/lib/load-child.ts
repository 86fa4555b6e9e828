/**
 * The load generator, in a separate process, so that its CPU time is not counted for the servers or the
 * bench.
 */
import autocannon from "autocannon";
import { arrivalTimes, sendAt } from "./arrivals.ts";
import { percentiles } from "./figures.ts";
import { ask } from "./http-client.ts";
import type { ChildTask, KeptSeries, LoadResult, Ring } from "./load.ts";
import type { LoadRequest, RequestKind } from "./request.ts";
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

async function measure(task: ChildTask): Promise<LoadResult> {
  const tally = new Tally(task.status ?? 200);
  const { durationSeconds, errors } =
    task.perSecond === undefined ? await keepAsking(task, tally) : await arrive(task, task.perSecond, tally);
  return { ...tally.result(), durationSeconds, errors };
}

/** What the answers of a run were. */
class Tally {
  readonly #status: number;
  readonly #latenciesMs: number[] = [];
  readonly #ofKind = new Map<RequestKind, number[]>();
  #notOk = 0;
  #wrongAnswers = 0;
  #firstWrong: string | undefined;

  /** @param status of every answer */
  constructor(status: number) {
    this.#status = status;
  }

  answer(answer: string, request: LoadRequest | undefined): void {
    if (request !== undefined && isExpected(answer, request.expectedAnswer)) return;
    this.#wrongAnswers += 1;
    this.wrong(answer.slice(0, 500));
  }

  latency(latencyMs: number, status: number, kind: RequestKind | undefined): void {
    if (status !== this.#status) {
      this.#notOk += 1;
      return;
    }
    this.#latenciesMs.push(latencyMs);
    if (kind === undefined) return;
    const ofKind = this.#ofKind.get(kind) ?? [];
    this.#ofKind.set(kind, ofKind);
    ofKind.push(latencyMs);
  }

  wrong(what: string): void {
    this.#firstWrong ??= what;
  }

  result(): Omit<LoadResult, "durationSeconds" | "errors"> {
    const kinds = [...this.#ofKind].map(([kind, latenciesMs]) => [kind, percentiles(latenciesMs)]);
    return {
      requests: this.#latenciesMs.length,
      ...percentiles(this.#latenciesMs),
      kinds: Object.fromEntries(kinds) as LoadResult["kinds"],
      notOk: this.#notOk,
      wrongAnswers: this.#wrongAnswers,
      ...(this.#firstWrong === undefined ? {} : { firstWrong: this.#firstWrong }),
    };
  }
}

type Ended = Pick<LoadResult, "durationSeconds" | "errors">;

/**
 * All callers share the turn: each would otherwise ask for the same keys at the same time.
 * @returns a function that gives the next request, and what is sent of it
 */
function turnOf({ headers, series: number, ring }: ChildTask) {
  const requests = kept(series, number);
  const tokens = ring === undefined ? undefined : kept(rings, ring);
  return () => {
    const request = requests.next();
    const authorization = tokens && { authorization: `Bearer ${tokens.next()}` };
    return { request, sent: asSent(request, { ...headers, ...authorization }) };
  };
}

/** autocannon keeps it from a request of a connection to the answer. */
interface Context {
  request?: LoadRequest;
}

/** Each connection asks again as soon as it has its answer. */
function keepAsking(task: ChildTask, tally: Tally): Promise<Ended> {
  const { url, connections, durationSeconds } = task;
  const next = turnOf(task);
  let answered: LoadRequest | undefined;

  function setupRequest(defaults: autocannon.Request, context: Context): autocannon.Request {
    const { request, sent } = next();
    context.request = request;
    return { ...defaults, path: request.path, ...sent };
  }

  function onResponse(_status: number, answer: string, { request }: Context): void {
    answered = request;
    tally.answer(answer, request);
  }

  return new Promise((resolve, reject) => {
    // autocannon stops only at a sample. With its default interval of a second, a run of 3 s could take 4 s.
    const options = { url, connections, sampleInt: 50, duration: durationSeconds };
    const run = autocannon({ ...options, requests: [{ setupRequest, onResponse }] }, (error, result) => {
      if (error) return reject(error);
      resolve({ durationSeconds: result.duration, errors: result.errors });
    });
    // autocannon's own histogram has only whole milliseconds. This comes right after `onResponse`, of the same
    // answer.
    run.on("response", (_client: unknown, status: number, _bytes: number, latencyMs: number) => {
      tally.latency(latencyMs, status, answered?.kind);
    });
    run.on("reqError", (error: Error) => tally.wrong(error.message));
  });
}

/** Waiting counts from the moment at which a request was due. So a late load generator looks worse, never better. */
async function arrive(task: ChildTask, perSecond: number, tally: Tally): Promise<Ended> {
  const next = turnOf(task);
  let errors = 0;
  const send = async (dueMs: number) => {
    const { request, sent } = next();
    try {
      const answered = await ask({ url: task.url + request.path, ...sent });
      tally.answer(answered.body, request);
      tally.latency(performance.now() - dueMs, answered.status, request.kind);
    } catch (cause) {
      errors += 1;
      tally.wrong(String(cause));
    }
  };
  const startedMs = performance.now();
  await sendAt(arrivalTimes(perSecond, task.durationSeconds), send);
  return { durationSeconds: (performance.now() - startedMs) / 1000, errors };
}

function kept<Key, Item>(turns: Map<Key, Turn<Item>>, key: Key): Turn<Item> {
  const turn = turns.get(key);
  if (!turn) throw new Error(`${key} is missing: the load generator was not sent it`);
  return turn;
}
