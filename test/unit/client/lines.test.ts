import { describe, expect, test } from "vitest";
import { linesOf } from "../../../client/lines.ts";

const encode = (text: string) => new TextEncoder().encode(text);

/** A body of these pieces. */
function bodyOf(...pieces: Uint8Array[]) {
  const seen = { cancelled: false };
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const piece = pieces.shift();
      if (piece) controller.enqueue(piece);
      else controller.close();
    },
    cancel() {
      seen.cancelled = true;
    },
  });
  return { body, seen };
}

const cut = (cause?: unknown) => new Error("cut", { cause });

async function read(...pieces: Uint8Array[]): Promise<string[]> {
  const lines: string[] = [];
  for await (const some of linesOf(bodyOf(...pieces).body, cut)) lines.push(...some);
  return lines;
}

const text = '{"a":"ä😀\u2028"}\n\n["\r","\u0085"]\n{"漢字":1}\n';
const lines = ['{"a":"ä😀\u2028"}', "", '["\r","\u0085"]', '{"漢字":1}'];
const bytes = encode(text);

describe("lines", () => {
  test("end with LF alone, wherever the body is cut into two pieces", async () => {
    for (let at = 0; at <= bytes.length; at++)
      expect(await read(bytes.subarray(0, at), bytes.subarray(at)), `at ${at}`).toEqual(lines);
  });

  test("also where it is cut into three, or into bytes", async () => {
    for (let first = 0; first <= bytes.length; first++)
      for (let second = first; second <= bytes.length; second++)
        expect(
          await read(bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)),
        ).toEqual(lines);
    expect(await read(...Array.from(bytes, (byte) => new Uint8Array([byte])))).toEqual(lines);
    expect(await read()).toEqual([]);
  });

  test("a last line without its end is an error, wherever it is cut off", async () => {
    const ends = new Set([
      0,
      ...lines.map((_, index) => encode(`${lines.slice(0, index + 1).join("\n")}\n`).length),
    ]);
    for (let at = 0; at <= bytes.length; at++) {
      const outcome = await read(bytes.subarray(0, at)).then(
        () => "whole",
        ({ message }: Error) => message,
      );
      expect(outcome, `at ${at}`).toBe(ends.has(at) ? "whole" : "cut");
    }
  });

  test("bytes that are not UTF-8 are an error", async () => {
    await expect(read(new Uint8Array([0x22, 0xff, 0x22, 0x0a]))).rejects.toThrow("cut");
  });

  test("a body that fails is an error with its cause", async () => {
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.error(new Error("reset"));
      },
    });
    const failing = linesOf(body, cut).next();
    await expect(failing).rejects.toMatchObject({ message: "cut", cause: { message: "reset" } });
  });

  test("leaving the loop cancels the body", async () => {
    const { body, seen } = bodyOf(encode("1\n2\n"), encode("3\n"), encode("4\n"));
    for await (const some of linesOf(body, cut)) {
      expect(some).toEqual(["1", "2"]);
      break;
    }
    expect(seen.cancelled).toBe(true);
  });

  test("a long line in many pieces takes time in proportion to its length", async () => {
    const pieces = Array.from({ length: 2000 }, () => encode("x".repeat(16_384)));
    const began = performance.now();
    const [line] = await read(...pieces, encode("\n"));
    expect(line?.length).toBe(2000 * 16_384);
    expect(performance.now() - began).toBeLessThan(5000);
  });
});
