import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { limits } from "../../src/limits.ts";
import { discard, readAtMost, TooSlowError } from "../../src/read-body.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const pace = { graceMs: limits.bodyGraceMs, bytesPerSecond: limits.bodyBytesPerSecond };

/** A body that arrives in pieces, one after each pause. Then it ends or `stalls`. */
function body({
  pieces,
  bytes,
  everyMs,
  stalls = false,
}: Record<"pieces" | "bytes" | "everyMs", number> & { stalls?: boolean }) {
  let sent = 0;
  const cancel = vi.fn();
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (sent === pieces) {
          if (stalls) await new Promise(() => {});
          controller.close();
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, everyMs));
        sent += 1;
        controller.enqueue(new Uint8Array(bytes));
      },
      cancel,
    },
    { highWaterMark: 0 },
  );
  return { stream, cancel };
}

/** @returns the result of reading the body, and its time in milliseconds */
async function outcome(stream: ReadableStream<Uint8Array>, maxBytes: number = limits.bodyBytes) {
  const started = Date.now();
  const settled = readAtMost(stream, maxBytes, pace).then(
    (bytes) => ({ bytes: bytes?.length, ms: Date.now() - started }),
    (error: unknown) => ({ error, ms: Date.now() - started }),
  );
  await vi.runAllTimersAsync();
  return await settled;
}

describe("a body that arrives in time is read whole, and no timer is left", () => {
  test.each([
    ["at once", { pieces: 1, bytes: 100, everyMs: 0 }],
    ["a byte a second, for less than the grace", { pieces: 9, bytes: 1, everyMs: 1_000 }],
    ["1 MiB over 160 kbit/s", { pieces: 512, bytes: 2_048, everyMs: 102 }],
    ["1 MiB in two halves, far apart", { pieces: 2, bytes: limits.bodyBytes / 2, everyMs: 9_900 }],
  ])("%s", async (_, sent) => {
    expect(await outcome(body(sent).stream)).toMatchObject({ bytes: sent.pieces * sent.bytes });
    expect(vi.getTimerCount()).toBe(0);
  });

  test("an empty one", async () => {
    expect(await readAtMost(null, 10, pace)).toHaveLength(0);
    expect(await outcome(body({ pieces: 0, bytes: 0, everyMs: 0 }).stream)).toMatchObject({ bytes: 0 });
  });
});

describe("a body that arrives too slowly is abandoned", () => {
  const graceMs = limits.bodyGraceMs;
  test.each<[string, Parameters<typeof body>[0], number]>([
    ["nothing comes", { pieces: 0, bytes: 0, everyMs: 0, stalls: true }, graceMs],
    ["a byte a second", { pieces: 1_000, bytes: 1, everyMs: 1_000 }, graceMs + 1],
    ["all but its end, at once", { pieces: 1, bytes: 16_384, everyMs: 0, stalls: true }, graceMs + 1_000],
    ["1 KiB a second", { pieces: 1_000, bytes: 1_024, everyMs: 1_000 }, graceMs + 625],
  ])("%s", async (_, sent, aboutMs) => {
    const { stream, cancel } = body(sent);
    const { error, ms } = (await outcome(stream)) as { error: unknown; ms: number };
    expect(error).toBeInstanceOf(TooSlowError);
    expect(ms).toBeGreaterThanOrEqual(aboutMs - 1);
    expect(ms).toBeLessThan(aboutMs + 100);
    expect(cancel).toHaveBeenCalledOnce();
  });

  test("the slowest accepted body takes 74 s", async () => {
    const longestMs = graceMs + (limits.bodyBytes / limits.bodyBytesPerSecond) * 1_000;
    expect(longestMs).toBe(74_000);
  });
});

test("a body that is too large is cancelled at once", async () => {
  const { stream, cancel } = body({ pieces: 10, bytes: 6, everyMs: 1 });
  const { bytes, ms } = (await outcome(stream, 11)) as { bytes: undefined; ms: number };
  expect([bytes, ms]).toEqual([undefined, 2]);
  expect(cancel).toHaveBeenCalledOnce();
  expect(vi.getTimerCount()).toBe(0);
});

test("a body that breaks off throws the stream's error", async () => {
  const broken = new Error("reset");
  const stream = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(broken) });
  expect(await outcome(stream)).toMatchObject({ error: broken });
  expect(vi.getTimerCount()).toBe(0);
});

describe("an unused body is read and dropped", () => {
  async function discarded(stream: ReadableStream<Uint8Array>) {
    const started = Date.now();
    const over = discard(stream, limits.unreadBodyMs).then(() => Date.now() - started);
    await vi.runAllTimersAsync();
    return await over;
  }

  test("to its end, if this comes soon", async () => {
    const { stream, cancel } = body({ pieces: 5, bytes: 100_000, everyMs: 10 });
    expect(await discarded(stream)).toBe(50);
    expect(cancel).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each([
    ["trickles", { pieces: 100, bytes: 1, everyMs: 300 }],
    ["stalls", { pieces: 0, bytes: 0, everyMs: 0, stalls: true }],
  ])("for a moment, if it %s, and is then cancelled", async (_, sent) => {
    const { stream, cancel } = body(sent);
    expect(await discarded(stream)).toBe(limits.unreadBodyMs);
    expect(cancel).toHaveBeenCalledOnce();
  });

  test("without an error if its sender breaks off", async () => {
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.error(new Error("reset")),
    });
    expect(await discarded(stream)).toBe(0);
  });
});
