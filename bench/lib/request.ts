import { isDeepStrictEqual } from "node:util";

/** One request, and the answer that it must have. */
export interface LoadRequest {
  /** GET if it is missing. */
  method?: "GET" | "POST";
  path: string;
  /** JSON. */
  requestBody?: string;
  expectedAnswer: ExpectedAnswer;
}

/**
 * A text is the whole answer, byte for byte. An object has fields of a JSON answer, each with its value; the
 * answer may have other fields. That suits a write: the number of changed rows is known, all else is not.
 */
export type ExpectedAnswer = string | Readonly<Record<string, unknown>>;

/** Requests that are sent in turn, over and over; at least one. */
export type Series = readonly [LoadRequest, ...LoadRequest[]];

/** @returns whether an answer is as it must be */
export function isExpected(answer: string, expected: ExpectedAnswer): boolean {
  if (typeof expected === "string") return answer === expected;
  let fields: unknown;
  try {
    fields = JSON.parse(answer);
  } catch {
    return false;
  }
  if (typeof fields !== "object" || fields === null) return false;
  const found = fields as Record<string, unknown>;
  return Object.entries(expected).every(([name, value]) => isDeepStrictEqual(found[name], value));
}

/**
 * Sends a request once. @param url the server's, without a path
 * @returns the answer's text. @throws Error for another status than the expected one
 */
export async function sendOnce(
  url: string,
  { method = "GET", path, requestBody }: Omit<LoadRequest, "expectedAnswer">,
  headers: Record<string, string>,
  status = 200,
): Promise<string> {
  const body = requestBody === undefined ? {} : { body: requestBody };
  const response = await fetch(url + path, { method, headers, ...body });
  const answer = await response.text();
  if (response.status === status) return answer;
  throw new Error(`${method} ${url}${path} answered ${response.status}: ${answer.slice(0, 500)}`);
}
