import type { ErrorCode, ErrorDetails } from "../errors.ts";
import { errorKinds } from "../errors.ts";
import { limits } from "../limits.ts";

/** How the first request with a key ended. */
export type Ending =
  | KeptAnswer
  | { kind: "error"; code: ErrorCode; details: ErrorDetails }
  /** It was answered to its end, and its caller had more than can be kept. */
  | { kind: "too_large" };

export interface KeptAnswer {
  kind: "answer";
  status: number;
  contentType: string;
  /** Text, or what `encoding` says. */
  body: string;
  /** Of what is no text. */
  encoding?: "base64";
}

/** What is kept of a key. Times are milliseconds since the epoch. */
export interface IdempotencyRecord {
  fingerprint: string;
  /** Names the one request that may run. */
  run: string;
  expiresAt: number;
  /** Whoever runs it has ended it by then, or is gone. */
  givenUpAt: number;
  ending?: Ending;
}

/** A Worker asks whether it may run a request; `patienceMs` is what that may take. */
export interface Begin {
  ask: "begin";
  fingerprint: string;
  run: string;
  patienceMs: number;
}

/** A Worker says how its run has ended; without an ending nothing has happened, and the key is free again. */
export interface End {
  ask: "end";
  run: string;
  ending?: Ending;
}

export type Verdict =
  /** Nobody has: run it, and say how it ended. */
  | { verdict: "run" }
  /** Somebody else does. */
  | { verdict: "running" }
  /** Somebody did, and has not said how it ended. */
  | { verdict: "unknown" }
  | { verdict: "other_request" }
  | { verdict: "ended"; ending: Ending };

/**
 * Decides whether a request may run. Pure: the clock is handed in.
 * @returns with `run` the record that must be kept before anything is run
 */
export function begin(
  kept: IdempotencyRecord | undefined,
  { fingerprint, run, patienceMs }: Begin,
  now: number,
): { verdict: Verdict; record?: IdempotencyRecord } {
  if (kept === undefined || kept.expiresAt <= now) {
    const expiresAt = now + limits.idempotencyAgeMs;
    return {
      verdict: { verdict: "run" },
      record: { fingerprint, run, expiresAt, givenUpAt: now + patienceMs },
    };
  }
  if (kept.fingerprint !== fingerprint) return { verdict: { verdict: "other_request" } };
  if (kept.ending) return { verdict: { verdict: "ended", ending: kept.ending } };
  // The record does not change with that: whoever comes late with the ending knows more than nobody.
  return { verdict: { verdict: kept.givenUpAt <= now ? "unknown" : "running" } };
}

/** @returns the record with its ending, null when it must go, undefined when that run is none of its */
export function end(
  kept: IdempotencyRecord | undefined,
  { run, ending }: End,
): IdempotencyRecord | null | undefined {
  if (kept?.run !== run || kept.ending) return undefined;
  return ending === undefined ? null : { ...kept, ending };
}

/** Another version of the object may have answered, and kept what another version of the Worker said. */
export function isVerdict(answer: unknown): answer is Verdict {
  const { verdict, ending } = (answer ?? {}) as { verdict?: unknown; ending?: unknown };
  if (verdict === "ended") return isEnding(ending);
  return verdict === "run" || verdict === "running" || verdict === "unknown" || verdict === "other_request";
}

function isEnding(value: unknown): value is Ending {
  const { kind, ...rest } = (value ?? {}) as Record<string, unknown>;
  switch (kind) {
    case "answer":
      return (
        Number.isInteger(rest.status) &&
        typeof rest.contentType === "string" &&
        typeof rest.body === "string" &&
        (rest.encoding === undefined || rest.encoding === "base64")
      );
    case "error":
      return (
        Object.hasOwn(errorKinds, String(rest.code)) &&
        typeof rest.details === "object" &&
        rest.details !== null
      );
    default:
      return kind === "too_large";
  }
}
