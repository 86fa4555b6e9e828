import type { ErrorCode, ErrorDetails } from "../../../errors.ts";
import { errorKinds, TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import type { EncodedAnswer } from "../../encode/encoded-answer.ts";

/**
 * How a Pool answers a message. The answer is what an RPC returns, so that it needs no HTTP: no Response, no headers.
 * A short answer with rows is one array of bytes, because that is the cheapest of all that RPC carries.
 */

/** The result of a statement or of a batch. */
export interface RowsAnswer extends EncodedAnswer {
  /** The value of the Server-Timing header. */
  timings: string;
}

/** The result of any other work, as a value that RPC can copy. */
export interface ValueAnswer<T> {
  value: T;
}

export type Answer = RowsAnswer | ValueAnswer<unknown>;

/** `waiting`: how many requests wait in the shard. Whole rows are bytes, but for a page: see `encodeWhole`. */
export type WireAnswer =
  | Uint8Array
  | ({ waiting: number } & RowsAnswer)
  | ({ waiting: number } & ValueAnswer<unknown>)
  | { error: WireError };

/** An error travels as a value: what RPC makes of an exception loses its details. */
interface WireError {
  code: ErrorCode;
  details: ErrorDetails;
}

export function encodeAnswer(answer: Answer, waiting: number): WireAnswer {
  if ("value" in answer) return { waiting, value: answer.value };
  const { contentType, timings, body, page } = answer;
  if (!(body instanceof Uint8Array)) return { waiting, contentType, timings, body };
  // A copy has memory of its own, as in encodeWhole.
  if (page) return { waiting, contentType, timings, body: new Uint8Array(body), page };
  return encodeWhole({ contentType, timings, body }, waiting);
}

export function encodeError({ code, details }: TidegateError): WireAnswer {
  return { error: { code, details } };
}

/** Worker and Pool have different code or configurations. Nothing was executed. */
export function versionMismatch(): TidegateError {
  return new TidegateError("version_mismatch", { retryAfter: limits.retryAfterSeconds });
}

/** @throws TidegateError if the Pool's answer is one */
export function decodeAnswer(answer: WireAnswer): { waiting: number } & Answer {
  if (answer instanceof Uint8Array) return decodeWhole(answer);
  if (!("error" in answer)) return answer;
  const { code, details } = answer.error;
  // A Pool of a newer version may send a code that this Worker does not know. Then the outcome is unknown.
  throw new TidegateError(Object.hasOwn(errorKinds, code) ? code : "outcome_unknown", details);
}

const utf8 = new TextEncoder();
const ascii = new TextDecoder("latin1");
const lineFeed = 0x0a;

/**
 * Three lines, then the body. RPC copies the whole memory behind an array, so this array has memory of its own, with
 * nothing else in it.
 */
function encodeWhole(
  { contentType, timings, body }: RowsAnswer & { body: Uint8Array },
  waiting: number,
): Uint8Array {
  const head = utf8.encode(`${waiting}\n${contentType}\n${timings}\n`);
  const bytes = new Uint8Array(head.length + body.length);
  bytes.set(head);
  bytes.set(body, head.length);
  return bytes;
}

function decodeWhole(bytes: Uint8Array): { waiting: number } & RowsAnswer {
  const first = bytes.indexOf(lineFeed);
  const second = bytes.indexOf(lineFeed, first + 1);
  const third = bytes.indexOf(lineFeed, second + 1);
  const [waiting = "", contentType = "", timings = ""] = ascii.decode(bytes.subarray(0, third)).split("\n");
  return { waiting: Number(waiting), contentType, timings, body: bytes.subarray(third + 1) };
}
