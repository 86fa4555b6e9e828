import { describe, expect, test, vi } from "vitest";
import { ResponseBody } from "../../../../src/db/answer/response-body.ts";
import type { ExecuteRequest } from "../../../../src/db/contract/requests.ts";
import { limits } from "../../../../src/limits.ts";
import { platformTimers } from "../../../../src/timers.ts";
import { column, summary } from "../encode/wire.ts";

const outcome = summary as never;

/** A body for an answer with columns of an INT `n` and a VARCHAR `v`. */
function bodyOf(more: Partial<ExecuteRequest>) {
  const stop = vi.fn();
  const session = { timers: platformTimers, pause: () => {}, resume: () => {}, stop };
  const ceilings = { deadlineMs: 1_000, bytes: Number.POSITIVE_INFINITY };
  const request = { format: "json", shape: "object", bounded: true, atomic: true, ceilings, ...more };
  const body = new ResponseBody(session, request as ExecuteRequest);
  body.columns([column(0x03, { name: "n" }), column(0xfd, { name: "v" })] as never);
  return { body, stop };
}

const textOf = (body: ResponseBody) => Buffer.from(body.answer().body as Uint8Array).toString();

describe("a page", () => {
  const page = { rows: 2, keys: ["V", "n"] };

  test("has its rows, and the last one's keys if a further row came", () => {
    const { body, stop } = bodyOf({ page });
    for (const row of [
      [1, "a"],
      [2, "b"],
      [3, "c"],
    ])
      body.values(row);
    body.end(outcome);
    expect(JSON.parse(textOf(body)).rows).toEqual([
      { n: 1, v: "a" },
      { n: 2, v: "b" },
    ]);
    expect(body.answer().page).toEqual({ types: ["VARCHAR", "INT"], last: ["b", "2"] });
    expect(stop).not.toHaveBeenCalled();
  });

  test.each([0, 1, 2])("that has %i rows has no next one", (rows) => {
    const { body } = bodyOf({ page });
    for (let n = 0; n < rows; n++) body.values([n, null]);
    body.end(outcome);
    expect(body.answer().page).toEqual({ types: ["VARCHAR", "INT"] });
  });

  test("tells of a key that is NULL, and leaves out one that is no column", () => {
    const { body } = bodyOf({ page: { rows: 1, keys: ["v", "other"] } });
    for (const n of [1, 2]) body.values([n, null]);
    body.end(outcome);
    expect(body.answer().page).toEqual({ types: ["VARCHAR"], last: [null] });
  });

  test("is held, whatever time its rows take, and refused beyond the bytes that are held", async () => {
    vi.useFakeTimers();
    const { body, stop } = bodyOf({ page: { rows: 100, keys: ["n"] } });
    const streamed = vi.fn();
    void body.streaming.then(streamed);
    const text = "x".repeat(limits.wholeAnswerBytes + 1);
    for (let n = 0; n * text.length <= limits.batchResultBytes; n++) {
      expect(stop).not.toHaveBeenCalled();
      body.values([n, text]);
      await vi.advanceTimersByTimeAsync(limits.flushMs * 2);
    }
    vi.useRealTimers();
    expect(streamed).not.toHaveBeenCalled();
    expect(stop).toHaveBeenCalledTimes(1);
    expect(body.refused?.code).toBe("result_too_large");
    expect(() => body.end(outcome)).toThrow(expect.objectContaining({ code: "result_too_large" }));
  });
});

describe("one row", () => {
  test("is answered without anything around it", () => {
    const { body } = bodyOf({ result: "one" });
    body.values([1, "a"]);
    body.end(outcome);
    expect(textOf(body)).toBe('{"n":1,"v":"a"}');
    expect(body.answer()).not.toHaveProperty("page");
  });

  test("is missing", () => {
    const { body } = bodyOf({ result: "one" });
    expect(() => body.end(outcome)).toThrow(expect.objectContaining({ code: "row_missing", details: {} }));
  });

  test("is one of several: a read is stopped at the second one", () => {
    const { body, stop } = bodyOf({ result: "one" });
    for (const n of [1, 2, 3]) body.values([n, "a"]);
    expect(stop).toHaveBeenCalledTimes(1);
    expect(() => body.end(outcome)).toThrow(expect.objectContaining({ code: "query_broken" }));
  });

  test("of a change: it goes on, and the error says that it stays", () => {
    const { body, stop } = bodyOf({ result: "one", bounded: false });
    for (const n of [1, 2, 3]) body.values([n, "a"]);
    const details = { detail: "The statement was executed, and its changes stay." };
    expect(() => body.end(outcome)).toThrow(expect.objectContaining({ code: "query_broken", details }));
    expect(stop).not.toHaveBeenCalled();
    const { body: none } = bodyOf({ result: "one", bounded: false });
    expect(() => none.end(outcome)).toThrow(expect.objectContaining({ code: "row_missing", details }));
  });
});

test("exec has the counts alone, whatever rows come", () => {
  const { body } = bodyOf({ result: "exec" });
  body.values([1, "a"]);
  body.end(outcome);
  expect(textOf(body)).toBe(
    '{"rows_affected":0,"rows_changed":null,"last_insert_id":null,"info":null,"warnings":[]}',
  );
});
