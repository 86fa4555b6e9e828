import { TidegateError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Ending, KeptAnswer } from "./record.ts";

/**
 * Stores an answer before the caller gets it. An answer that is too large streams on to its caller, and at
 * its end only the fact that it existed is stored. If such an answer breaks off, nothing is stored, and its
 * outcome stays unknown.
 * @returns the same answer
 * @throws TidegateError `outcome_unknown` when it breaks off before it is stored or known to be too large
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

/** The statement was executed, so storing its answer must work for every format. */
function keptBody(bytes: Buffer): Pick<KeptAnswer, "body" | "encoding"> {
  const body = bytes.toString("utf8");
  if (Buffer.from(body).equals(bytes)) return { body };
  return { body: bytes.toString("base64"), encoding: "base64" };
}

/**
 * @returns the whole body in `head`; or, for a large body, a little more than can be stored, and the unread
 *   `rest`
 */
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
