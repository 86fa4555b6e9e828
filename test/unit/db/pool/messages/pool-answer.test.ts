import { describe, expect, test } from "vitest";
import type { RowsAnswer } from "../../../../../src/db/pool/messages/pool-answer.ts";
import { decodeAnswer, encodeAnswer, encodeError } from "../../../../../src/db/pool/messages/pool-answer.ts";
import type { ErrorDetails } from "../../../../../src/errors.ts";
import { TidegateError } from "../../../../../src/errors.ts";

const head = {
  contentType: "text/csv; charset=utf-8; header=present",
  timings: "queue;dur=1, connect;dur=0, db;dur=23",
};

/** As RPC carries a value: a copy, with nothing in common. */
const carried = <T>(value: T): T => structuredClone(value);

describe("rows", () => {
  test.each([
    ["none", []],
    ["text with lines", [...Buffer.from('{"a": "b"}\n\n{"é": 1}\n')]],
    ["bytes that are no text", [0, 10, 13, 128, 255, 254, 10]],
    ["64 KiB", Array.from({ length: 65_536 }, (_, at) => at % 256)],
  ])("that are whole come as they were, byte for byte: %s", (_, bytes) => {
    const sent = encodeAnswer({ ...head, body: Uint8Array.from(bytes) }, 12);
    const { body, ...rest } = decodeAnswer(carried(sent)) as RowsAnswer;
    expect(rest).toEqual({ ...head, waiting: 12 });
    expect([...(body as Uint8Array)]).toEqual(bytes);
  });

  test("that are a part of a larger memory take nothing else of it along", () => {
    const memory = Buffer.from("another caller's rows, mine, another caller's rows");
    const sent = encodeAnswer({ ...head, body: memory.subarray(23, 27) }, 0) as Uint8Array;
    expect(Buffer.from(sent).toString().endsWith("\nmine")).toBe(true);
    expect(sent.buffer.byteLength).toBe(sent.byteLength);
  });

  test("of a page come with what follows, and with nothing else of a larger memory", () => {
    const page = { types: ["INT", "VARCHAR"], last: ["7", null] };
    const memory = Buffer.from("another caller's rows, mine, another caller's rows");
    const sent = encodeAnswer({ ...head, body: memory.subarray(23, 27), page }, 5) as RowsAnswer;
    expect((sent.body as Uint8Array).buffer.byteLength).toBe(4);
    const answer = decodeAnswer(carried(encodeAnswer({ ...head, body: memory.subarray(23, 27), page }, 5)));
    expect(answer).toEqual({ ...head, body: new Uint8Array(Buffer.from("mine")), page, waiting: 5 });
  });

  test("that stream are a stream at the other side", async () => {
    const body = new Blob(["a,b"]).stream();
    const answer = decodeAnswer(encodeAnswer({ ...head, body }, 3)) as RowsAnswer;
    expect(answer).toMatchObject({ ...head, waiting: 3 });
    expect(await new Response(answer.body).text()).toBe("a,b");
  });
});

test("a value comes with the length of the queue", () => {
  const value = { idle: 1, busy: 2, opening: 3 };
  expect(decodeAnswer(carried(encodeAnswer({ value }, 4)))).toEqual({ waiting: 4, value });
});

describe("an error", () => {
  function thrown(error: TidegateError): TidegateError {
    try {
      decodeAnswer(carried(encodeError(error)));
    } catch (cause) {
      return cause as TidegateError;
    }
    throw new Error("the answer is no error");
  }

  test("keeps its code and all details, and leaves what is for the operator behind", () => {
    const details: Required<ErrorDetails> = {
      ...{ detail: "one sentence", reason: "word", errno: 1062, sqlstate: "23000", constraint: "key" },
      ...{ headers: { accept: "application/json" }, retryAfter: 3, allow: "GET, POST" },
      errors: [{ path: "/limit", reason: "below_minimum", detail: "another sentence" }],
      ...{ statement: 2, transaction: "rolled_back", retryable: true },
    };
    const error = thrown(new TidegateError("sql_conflict", details, "for the log"));
    expect(error).toBeInstanceOf(TidegateError);
    expect(error).toMatchObject({ code: "sql_conflict", details, operator: undefined });
    expect(error.message).toBe("one sentence");
  });
});
