import { TidegateError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Ending, KeptAnswer } from "./record.ts";

/**
 * Has an answer kept before it is given. One that is too large streams on to its caller, and of it is kept at its end
 * that it was there; if it breaks off, nobody says anything, and its outcome stays unknown.
 * @returns the same answer
 * @throws TidegateError `outcome_unknown` when it breaks off before that
 */
export async function keepAnswer(
  response: Response,
  keep: (ending: Ending) => Promise<void>,
  waitUntil: (promise: Promise<unknown>) => void,
): Promise<Response> {
  const contentType = response.headers.get("content-type") ?? "";
  const { head, rest } = await readHead(response.body);
  if (rest === undefined) {
    const body = Buffer.concat(head);
    await keep({ kind: "answer", status: response.status, contentType, ...keptBody(body) });
    return new Response(body, response);
  }
  const through = new TransformStream<Uint8Array, Uint8Array>({
    start(controller) {
      for (const chunk of head) controller.enqueue(chunk);
    },
    async flush() {
      await keep({ kind: "too_large" });
    },
  });
  waitUntil(rest.pipeTo(through.writable).catch(() => {}));
  return new Response(through.readable, response);
}

/** The statement has been executed: whatever its answer's format is, keeping it must not fail. */
function keptBody(bytes: Buffer): Pick<KeptAnswer, "body" | "encoding"> {
  const body = bytes.toString("utf8");
  if (Buffer.from(body).equals(bytes)) return { body };
  return { body: bytes.toString("base64"), encoding: "base64" };
}

/** @returns all of it, or without having read `rest` no more than can be kept and one chunk */
async function readHead(
  body: ReadableStream<Uint8Array> | null,
): Promise<{ head: Uint8Array[]; rest?: ReadableStream<Uint8Array> }> {
  const head: Uint8Array[] = [];
  if (body === null) return { head };
  const reader = body.getReader();
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read().catch((cause) => {
      const details = { retryAfter: limits.retryAfterSeconds };
      throw new TidegateError("outcome_unknown", details, `the answer broke off: ${String(cause)}`);
    });
    if (done) return { head };
    head.push(value);
    length += value.byteLength;
    if (length <= limits.idempotentAnswerBytes) continue;
    reader.releaseLock();
    return { head, rest: body };
  }
}
