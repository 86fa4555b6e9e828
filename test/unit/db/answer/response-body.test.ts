import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { ResponseBody } from "../../../../src/db/answer/response-body.ts";
import type { ExecuteRequest } from "../../../../src/db/contract/requests.ts";
import { limits } from "../../../../src/limits.ts";
import { platformTimers } from "../../../../src/timers.ts";
import { column } from "../encode/wire.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const outcome = { rowsAffected: 0, rowsChanged: null, lastInsertId: null, info: null, warnings: [] };
const session = { timers: platformTimers, pause: () => {}, resume: () => {}, stop: () => {} };

function bodyOf(bytes = Number.POSITIVE_INFINITY) {
  const ceilings = { deadlineMs: 1_000, bytes };
  const work = { format: "csv", shape: "array", writable: false, atomic: true, ceilings };
  return new ResponseBody(session, work as ExecuteRequest);
}

async function isStreamed(body: ResponseBody): Promise<boolean> {
  return await Promise.race([
    body.streaming.then(() => true),
    vi.advanceTimersByTimeAsync(0).then(() => false),
  ]);
}

/**
 * CSV with one column "v". Header and rows have so many bytes in total, of characters with one to four bytes.
 */
async function answerOf(bytes: number, character: string): Promise<ResponseBody> {
  const body = bodyOf();
  body.columns([column(0xfd)] as never);
  let left = bytes - "v\r\n".length;
  const size = Buffer.byteLength(character);
  while (left > 0) {
    const characters = Math.min(200, Math.floor((left - 2) / size));
    const rest = left - 2 - characters * size;
    // Letters of one byte fill the rest.
    const padding = rest < 3 * size ? rest : 0;
    body.values([character.repeat(characters) + "a".repeat(padding)]);
    left -= 2 + characters * size + padding;
  }
  expect(left).toBe(0);
  return body;
}

describe.each(["a", "é", "漢", "😀"])("an answer of %s", (character) => {
  test("of 64 KiB goes whole, with its length in bytes", async () => {
    const body = await answerOf(limits.wholeAnswerBytes, character);
    expect(await isStreamed(body)).toBe(false);
    body.end(outcome as never);
    expect(body.answer().body).toHaveLength(limits.wholeAnswerBytes);
  });

  test("of a byte more is streamed", async () => {
    const body = await answerOf(limits.wholeAnswerBytes + 1, character);
    expect(await isStreamed(body)).toBe(true);
    expect(body.answer().body).toBeInstanceOf(ReadableStream);
  });

  test("goes to the stream in pieces of 128 KiB and at most one more row", async () => {
    const body = await answerOf(limits.wholeAnswerBytes + 1, character);
    const reader = (body.answer().body as ReadableStream<Uint8Array>).getReader();
    await reader.read();
    const pieces: number[] = [];
    const reading = (async () => {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        pieces.push(value.length);
      }
    })();
    const row = character.repeat(100);
    for (let i = 0; i < 10_000; i++) body.values([row]);
    body.end(outcome as never);
    await reading;
    const largest = limits.chunkBytes + Buffer.byteLength(row) + 2;
    expect(pieces.length).toBeGreaterThan(5);
    for (const length of pieces) expect(length).toBeLessThan(largest);
  });
});

describe("rows that wait", () => {
  const begun = () => {
    const body = bodyOf();
    body.columns([column(0xfd)] as never);
    body.values(["a"]);
    return body;
  };

  test("are streamed after 100 ms while more may come", async () => {
    const body = begun();
    await vi.advanceTimersByTimeAsync(limits.flushMs);
    expect(await isStreamed(body)).toBe(true);
  });

  test("wait for the end once the server's answer is complete, however late its warnings come", async () => {
    const body = begun();
    await vi.advanceTimersByTimeAsync(limits.flushMs / 2);
    body.answered();
    await vi.advanceTimersByTimeAsync(limits.flushMs * 100);
    expect(await isStreamed(body)).toBe(false);
    body.end(outcome as never);
    expect(Buffer.from(body.answer().body as Uint8Array).toString()).toBe("v\r\na\r\n");
  });

  test("are streamed after 100 ms where the statement is executed again", async () => {
    const body = bodyOf();
    body.answered();
    body.columns([column(0xfd)] as never);
    body.values(["a"]);
    await vi.advanceTimersByTimeAsync(limits.flushMs);
    expect(await isStreamed(body)).toBe(true);
  });
});
