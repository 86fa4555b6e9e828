import { describe, expect, test } from "vitest";
import { keepAnswer } from "../../../src/idempotency/answer.ts";
import type { Ending, KeptAnswer } from "../../../src/idempotency/record.ts";
import { isKeyState } from "../../../src/idempotency/record.ts";
import { limits } from "../../../src/limits.ts";

const headers = { "content-type": "application/json; charset=utf-8", "server-timing": "db;dur=1" };

/** An answer that arrives in pieces, and then ends or breaks off. */
function answerOf(pieces: (string | Uint8Array)[], breaks = false) {
  const left = [...pieces];
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const piece = left.shift();
      if (piece !== undefined)
        controller.enqueue(typeof piece === "string" ? new TextEncoder().encode(piece) : piece);
      else if (breaks) controller.error(new Error("cut"));
      else controller.close();
    },
  });
  return new Response(body, { status: 200, headers });
}

async function kept(response: Response) {
  const endings: Ending[] = [];
  const waiting: Promise<unknown>[] = [];
  const answered = keepAnswer(
    response,
    async (ending) => void endings.push(ending),
    (promise) => waiting.push(promise),
  );
  return { answered: await answered.catch((cause) => cause), endings, waiting };
}

/** Exactly the largest size that can be stored. */
const largest = "x".repeat(limits.idempotentAnswerBytes);

describe("an answer", () => {
  test.each([
    ["in one piece", ["{}"], "{}"],
    [
      "in several, cut inside a character",
      ['{"a":"', Uint8Array.of(0xc3), Uint8Array.of(0xa9), '"}'],
      '{"a":"é"}',
    ],
    ["with a byte order mark", ["\ufeffa,b"], "\ufeffa,b"],
    ["of nothing", [], ""],
    ["as large as it may be", [largest], largest],
  ])("%s is stored before the caller gets it", async (_, pieces, body) => {
    const { answered, endings } = await kept(answerOf(pieces));
    expect(endings).toEqual([{ kind: "answer", status: 200, contentType: headers["content-type"], body }]);
    expect(Buffer.from(await answered.arrayBuffer()).toString()).toBe(body);
    expect(answered.headers.get("server-timing")).toBe(headers["server-timing"]);
  });

  test("that is not text is stored byte by byte, because its statement was executed", async () => {
    const bytes = Uint8Array.of(0xff, 0x00, 0xc3, 0x28, 0x80);
    const { answered, endings } = await kept(answerOf([bytes]));
    const { body, encoding } = endings[0] as KeptAnswer;
    expect(Buffer.from(body, encoding)).toEqual(Buffer.from(bytes));
    expect(encoding).toBe("base64");
    expect(Buffer.from(await answered.arrayBuffer())).toEqual(Buffer.from(bytes));
    expect(isKeyState({ verdict: "ended", ending: endings[0] })).toBe(true);
    expect(isKeyState({ verdict: "ended", ending: { ...endings[0], encoding: "hex" } })).toBe(false);
  });

  test("that breaks off has an unknown outcome, and nothing of it is stored here", async () => {
    const { answered, endings } = await kept(answerOf(['{"rows":['], true));
    expect(answered).toMatchObject({ code: "outcome_unknown", operator: "the answer broke off: Error: cut" });
    expect(endings).toEqual([]);
  });

  test("that is too large reaches the caller whole, and its end is stored", async () => {
    const { answered, endings, waiting } = await kept(answerOf([largest, "more", "and more"]));
    expect(endings).toEqual([]);
    expect(await answered.text()).toBe(`${largest}moreand more`);
    await Promise.all(waiting);
    expect(endings).toEqual([{ kind: "too_large" }]);
  });

  test("that is too large and breaks off reaches the caller broken, and no end is stored", async () => {
    const { answered, endings, waiting } = await kept(answerOf([largest, "more"], true));
    await expect(answered.text()).rejects.toThrow("cut");
    await Promise.all(waiting);
    expect(endings).toEqual([]);
  });

  test("that is too large is cancelled when the caller leaves, and no end is stored", async () => {
    let cancelled = false;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new TextEncoder().encode(largest)),
      cancel: () => {
        cancelled = true;
      },
    });
    const { answered, endings, waiting } = await kept(new Response(body, { headers }));
    await answered.body?.cancel();
    await Promise.all(waiting);
    expect([cancelled, endings]).toEqual([true, []]);
  });
});
