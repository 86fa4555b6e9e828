import { describe, expect, test } from "vitest";
import type { Begin, Ending, IdempotencyRecord } from "../../../src/idempotency/record.ts";
import { begin, end, isKeyState } from "../../../src/idempotency/record.ts";

const hour = 60 * 60_000;
const now = 1_000_000;
const first: Begin = { ask: "begin", fingerprint: "f", run: "one", patienceMs: 50_000 };
const again: Begin = { ...first, run: "two" };
const answer: Ending = { kind: "answer", status: 200, contentType: "application/json", body: "{}" };

/** The record of a running request. */
function started(): IdempotencyRecord {
  const { record } = begin(undefined, first, now);
  if (!record) throw new Error("nothing is kept");
  return record;
}

function ended(ending: Ending): IdempotencyRecord {
  const record = end(started(), { ask: "end", run: "one", ending });
  if (!record) throw new Error("nothing is kept");
  return record;
}

describe("a request with a key", () => {
  test("that is new may run, and its record lives for a day from its beginning", () => {
    expect(begin(undefined, first, now)).toEqual({
      verdict: { verdict: "run" },
      record: { fingerprint: "f", run: "one", expiresAt: now + 24 * hour, givenUpAt: now + 50_000 },
    });
  });

  test.each([
    [0, "running"],
    [49_999, "running"],
    [50_000, "unknown"],
    [24 * hour - 1, "unknown"],
  ])("that began %i ms ago and has not ended: %s, and the record stays", (ms, verdict) => {
    expect(begin(started(), again, now + ms)).toEqual({ verdict: { verdict } });
  });

  test("that has ended keeps its ending for a day", () => {
    const kept = ended(answer);
    const replayed = { verdict: { verdict: "ended", ending: answer } };
    expect(begin(kept, again, now)).toEqual(replayed);
    expect(begin(kept, again, now + 24 * hour - 1)).toEqual(replayed);
  });

  test.each([
    ["runs", started()],
    ["has ended", ended(answer)],
  ])("is new after a day, whether it %s", (_, kept) => {
    const { verdict, record } = begin(kept, { ...again, fingerprint: "other" }, now + 24 * hour);
    expect(verdict).toEqual({ verdict: "run" });
    expect(record).toMatchObject({ run: "two", fingerprint: "other", expiresAt: now + 48 * hour });
    expect(record).not.toHaveProperty("ending");
  });

  test.each([
    ["runs", started(), now],
    ["is given up", started(), now + hour],
    ["has ended", ended(answer), now],
  ])("that differs never runs while the first one %s", (_, kept, at) => {
    const other = begin(kept, { ...again, fingerprint: "other" }, at);
    expect(other).toEqual({ verdict: { verdict: "other_request" } });
  });
});

describe("the end of a run", () => {
  test("is stored with the record, also late", () => {
    expect(ended(answer)).toEqual({ ...started(), ending: answer });
    expect(begin(ended(answer), again, now + hour).verdict).toEqual({ verdict: "ended", ending: answer });
  });

  test("without any effect removes the record", () => {
    expect(end(started(), { ask: "end", run: "one" })).toBeNull();
  });

  test.each([
    ["of which nothing is known", undefined, "one"],
    ["of another run", started(), "two"],
    ["that has ended before", ended({ kind: "too_large" }), "one"],
  ])("%s changes nothing", (_, kept, run) => {
    expect(end(kept, { ask: "end", run, ending: answer })).toBeUndefined();
    expect(end(kept, { ask: "end", run })).toBeUndefined();
  });
});

describe("an answer of the object", () => {
  const error = { kind: "error", code: "sql_conflict", details: {} };

  test.each([
    [{ verdict: "run" }],
    [{ verdict: "running" }],
    [{ verdict: "unknown" }],
    [{ verdict: "other_request" }],
    [{ verdict: "ended", ending: answer }],
    [{ verdict: "ended", ending: error }],
    [{ verdict: "ended", ending: { kind: "too_large" } }],
  ])("%j is valid", (value) => {
    expect(isKeyState(value)).toBe(true);
  });

  test.each([
    [undefined],
    [null],
    [{}],
    ["run"],
    [{ verdict: "go" }],
    [{ verdict: "ended" }],
    [{ verdict: "ended", ending: null }],
    [{ verdict: "ended", ending: { kind: "other" } }],
    [{ verdict: "ended", ending: { ...answer, status: "200" } }],
    [{ verdict: "ended", ending: { ...answer, body: undefined } }],
    [{ verdict: "ended", ending: { ...answer, contentType: 1 } }],
    [{ verdict: "ended", ending: { ...error, code: "a_code_of_tomorrow" } }],
    [{ verdict: "ended", ending: { ...error, code: "constructor" } }],
    [{ verdict: "ended", ending: { ...error, details: null } }],
  ])("%j is invalid", (value) => {
    expect(isKeyState(value)).toBe(false);
  });
});
