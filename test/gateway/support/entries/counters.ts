import { AsyncLocalStorage } from "node:async_hooks";
import { Hash, Hmac } from "node:crypto";
import { ShardCounters } from "../../../../src/db/pool/object/counters.ts";
import { SharedTimers } from "../../../../src/timers.ts";

/**
 * Counts what a request makes. It replaces functions of the platform, so an entry imports it before the application:
 * some code keeps a function or a class when it is loaded.
 */

const kinds = [
  "responses",
  "stringified",
  "digests",
  "uuids",
  "errors",
  "promises",
  "timers",
  "timersCleared",
  "logLines",
  "objectsAsked",
  "socketWrites",
  "answerReads",
  "restoreReads",
  "restores",
] as const;
type Kind = (typeof kinds)[number];
export type Tally = Record<Kind, number>;
/** The code of a request in the Worker, and everything that an object does. They share an isolate under workerd. */
export type Place = "worker" | "object";

/** What runs outside of both is not counted: this file's own requests, and what wrangler adds to a Worker. */
export const place = new AsyncLocalStorage<Place>();

const none = () => Object.fromEntries(kinds.map((kind) => [kind, 0])) as Tally;
export const tallies: Record<Place, Tally> = { worker: none(), object: none() };

export function forget(): void {
  tallies.worker = none();
  tallies.object = none();
}

export function count(kind: Kind): void {
  const where = place.getStore();
  if (where !== undefined) tallies[where][kind] += 1;
}

// biome-ignore lint/suspicious/noExplicitAny: functions of the platform, whose types do not matter here
type Any = any;

function countCalls(owner: Any, name: string, kind: Kind): void {
  const real = owner[name];
  owner[name] = function (this: unknown, ...given: unknown[]) {
    count(kind);
    return Reflect.apply(real, this, given);
  };
}

/** @param statics methods of the class that make one as well */
function countMade(name: string, kind: Kind, statics: readonly string[] = []): void {
  const real = (globalThis as Any)[name];
  // Bound, because Promise's make one of whatever they are called on.
  const bound = Object.fromEntries(
    Object.getOwnPropertyNames(real)
      .filter((key) => key !== "prototype" && typeof real[key] === "function")
      .map((key) => [key, real[key].bind(real)]),
  );
  for (const key of statics) countCalls(bound, key, kind);
  (globalThis as Any)[name] = new Proxy(real, {
    construct(target, given, made) {
      count(kind);
      return Reflect.construct(target, given, made);
    },
    apply(target, self, given) {
      count(kind);
      return Reflect.apply(target, self, given);
    },
    get: (target, key) => (typeof key === "string" && bound[key]) || Reflect.get(target, key),
  });
}

countMade("Response", "responses", ["json", "redirect", "error"]);
// With the classes that extend it; V8 makes its own errors without these. An async function's promise cannot be counted.
for (const name of ["Error", "TypeError", "RangeError"]) countMade(name, "errors");
countMade("Promise", "promises", ["withResolvers", "race", "all", "allSettled", "any"]);
countCalls(JSON, "stringify", "stringified");
countCalls(Object.getPrototypeOf(crypto), "randomUUID", "uuids");
countCalls(Object.getPrototypeOf(crypto.subtle), "digest", "digests");
countCalls(Hash.prototype, "digest", "digests");
countCalls(Hmac.prototype, "digest", "digests");
for (const name of ["log", "warn", "error"]) countCalls(console, name, "logLines");
countCalls(globalThis, "clearTimeout", "timersCleared");
countCalls(WritableStreamDefaultWriter.prototype, "write", "socketWrites");
countCalls(ShardCounters.prototype, "restored", "restores");

/**
 * How many platform timers SharedTimers needs depends on the time, not on the request. Its own timers count instead,
 * each exactly once.
 */
let isShared = false;

function asShared<T>(run: () => T): T {
  const before = isShared;
  isShared = true;
  try {
    return run();
  } finally {
    isShared = before;
  }
}

const { after } = SharedTimers.prototype;
SharedTimers.prototype.after = function (ms, run) {
  count("timers");
  return asShared(() => after.call(this, ms, run));
};

for (const name of ["setTimeout", "setInterval", "setImmediate"]) {
  const real = (globalThis as Any)[name];
  (globalThis as Any)[name] = (run: () => void, ...given: unknown[]) => {
    if (isShared) return real(() => asShared(run), ...given);
    count("timers");
    return real(run, ...given);
  };
}

const { read } = ReadableStreamBYOBReader.prototype;
ReadableStreamBYOBReader.prototype.read = function (this: ReadableStreamBYOBReader, ...given: Any[]) {
  return Reflect.apply(read, this, given).then((piece: { done: boolean }) => {
    if (!piece.done) count(tallies.object.socketWrites > 1 ? "restoreReads" : "answerReads");
    return piece;
  });
} as typeof read;
