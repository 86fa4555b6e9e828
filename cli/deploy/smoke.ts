import { setTimeout as pause } from "node:timers/promises";
import type { Problem } from "../../src/errors.ts";
import type { ListedQuery } from "../../src/openapi/list.ts";
import { fetchErrorText } from "../command/system-errors.ts";
import { clean } from "../node/connection-errors.ts";

/** Asks a deployed gateway what its callers ask: is it live, is it ready, is a token good, does a saved query answer. */

export interface SmokeOptions {
  url: URL;
  /** Without one, only health is asked. */
  token: string | undefined;
  /** A saved query that reads and needs no parameter; by default the first one that the token may run. */
  query: string | undefined;
  /** How long a new deployment may take until it is live and ready. */
  patienceMs: number;
}

/** Something is wrong with the gateway. The message says what and where. */
class SmokeFinding extends Error {}

const pauseMs = 1_000;
/** The gateway's longest deadline of a statement is shorter. */
const answerMs = 65_000;

/**
 * @param tell receives one line for each step that is done
 * @returns what is wrong, in one line; undefined if every step was good
 */
export async function smokeTest(
  options: SmokeOptions,
  tell: (line: string) => void,
): Promise<string | undefined> {
  const { url, token, patienceMs } = options;
  const deadline = Date.now() + patienceMs;
  try {
    for (const [path, status] of Object.entries({ "/livez": "live", "/readyz": "ready" })) {
      await until(deadline, () => expectHealth(new URL(path, url), status));
      tell(`${path} says ${status}`);
    }
    if (token === undefined) {
      tell("there is no token, so no query was asked: set TIDEGATE_SMOKE_TOKEN, or give --smoke-token-file");
      return undefined;
    }
    await askQuery(options, token, tell);
    return undefined;
  } catch (cause) {
    if (cause instanceof SmokeFinding) return cause.message;
    throw cause;
  }
}

/** Tries again until `deadline`: a new address, a new certificate and a new version take a while to be everywhere. */
async function until(deadline: number, attempt: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      await attempt();
      return;
    } catch (cause) {
      if (Date.now() + pauseMs > deadline) throw cause;
      await pause(pauseMs);
    }
  }
}

async function expectHealth(url: URL, status: string): Promise<void> {
  const { response, body } = await ask(url, {});
  if (response.status === 200 && body.status === status) return;
  throw new SmokeFinding(refusal(url, response, body));
}

async function askQuery(
  { url, query: wanted }: SmokeOptions,
  token: string,
  tell: (line: string) => void,
): Promise<void> {
  const headers = { authorization: `Bearer ${token}` };
  const list = new URL("/v1/queries", url);
  const { response, body } = await ask(list, headers);
  if (response.status !== 200 || !Array.isArray(body.queries))
    throw new SmokeFinding(refusal(list, response, body));
  const queries = body.queries as ListedQuery[];
  tell(`the token is good: it may run ${queries.length} saved ${queries.length === 1 ? "query" : "queries"}`);
  const query = wanted === undefined ? queries.find(isAskable) : named(wanted, queries);
  if (query === undefined) {
    tell("none of them reads and needs no parameter, so no query was asked");
    return;
  }
  const at = new URL(query.path, url);
  const started = performance.now();
  const answer = await ask(at, headers);
  if (answer.response.status !== 200) throw new SmokeFinding(refusal(at, answer.response, answer.body));
  tell(`${query.name} answers ${answer.bytes} bytes in ${Math.round(performance.now() - started)} ms`);
}

/** @throws SmokeFinding if it is not one that a smoke test asks */
function named(name: string, queries: readonly ListedQuery[]): ListedQuery {
  const query = queries.find((one) => one.name === name);
  if (query === undefined) {
    const names = queries.filter(isAskable).map((one) => one.name);
    throw new SmokeFinding(
      `The token may not run ${name}, or there is no such query. It may run: ${names.join(", ") || "none"}.`,
    );
  }
  if (query.kind !== "read") throw new SmokeFinding(`${name} writes: name a query that only reads.`);
  const needed = query.parameters.filter(({ required }) => required).map((one) => one.name);
  if (needed.length > 0)
    throw new SmokeFinding(`${name} needs ${needed.join(", ")}: name a query that needs no parameter.`);
  return query;
}

function isAskable({ kind, parameters }: ListedQuery): boolean {
  return kind === "read" && parameters.every(({ required }) => !required);
}

type Body = Omit<Partial<Problem>, "status"> & { status?: unknown; queries?: unknown };

/** @throws SmokeFinding if there is no answer */
async function ask(url: URL, headers: Record<string, string>) {
  try {
    const response = await fetch(url, { headers, redirect: "manual", signal: AbortSignal.timeout(answerMs) });
    const text = await response.text();
    return { response, body: bodyOf(text), bytes: Buffer.byteLength(text) };
  } catch (cause) {
    throw new SmokeFinding(`${url} gives no answer: ${clean(fetchErrorText(cause))}`);
  }
}

function bodyOf(text: string): Body {
  try {
    return (JSON.parse(text) ?? {}) as Body;
  } catch {
    return {};
  }
}

function refusal(url: URL, response: Response, { title, detail, code, request_id }: Body): string {
  const { status, headers } = response;
  const location = headers.get("location");
  if (location !== null) return `${url} redirects to ${clean(location)} (status ${status})`;
  if (code === undefined || title === undefined)
    return `${url} answers ${status}, and not as a Tidegate does: check routes and the address`;
  const more = detail === undefined ? "" : `: ${clean(detail)}`;
  return `${url} answers ${status}: ${clean(title)}${more} (${clean(code)}, request ${clean(request_id)})`;
}
