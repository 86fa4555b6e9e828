import { isDeepStrictEqual } from "node:util";

export type RequestKind = "read" | "write";

/** One request, and the answer that it must have. */
export interface LoadRequest {
  /** GET if it is missing. */
  method?: "GET" | "POST";
  path: string;
  /** JSON. */
  requestBody?: string;
  /** Only of a mixed load, whose latencies are also told apart by the kind. */
  kind?: RequestKind;
  expectedAnswer: ExpectedAnswer;
}

/**
 * A text is the whole answer, byte for byte. An object has fields of a JSON answer with their values, and the
 * answer may have other fields: of a write the bench knows the number of changed rows, and little else.
 */
export type ExpectedAnswer = string | Readonly<Record<string, unknown>>;

/** Requests that are sent in turn, again and again; at least one. */
export type Series = readonly [LoadRequest, ...LoadRequest[]];

/** @throws Error when there is none */
export function asSeries([first, ...others]: readonly LoadRequest[]): Series {
  if (!first) throw new Error("there is nothing to ask for");
  return [first, ...others];
}

/** @returns whether the answer is the expected one */
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

/** A request without its expected answer. */
type Sendable = Omit<LoadRequest, "expectedAnswer">;

/**
 * @param headers of all requests
 * @returns what is sent of a request, for fetch() and for the load generator
 */
export function asSent({ method = "GET", requestBody }: Sendable, headers: Record<string, string>) {
  if (requestBody === undefined) return { method, headers };
  return { method, headers: { ...headers, "content-type": "application/json" }, body: requestBody };
}

/**
 * Sends a request once. @param url the server's, without a path
 * @returns the answer's text. @throws Error for another status than the expected one
 */
export async function sendOnce(
  url: string,
  request: Sendable,
  headers: Record<string, string>,
  status = 200,
): Promise<string> {
  const response = await fetch(url + request.path, asSent(request, headers));
  const answer = await response.text();
  if (response.status === status) return answer;
  throw new Error(
    `${request.method ?? "GET"} ${url}${request.path} answered ${response.status}: ${answer.slice(0, 500)}`,
  );
}
