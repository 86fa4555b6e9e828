import { challengeOf } from "../auth/challenge.ts";
import type { TidegateError } from "../errors.ts";
import { toProblem } from "../errors.ts";
import { limits } from "../limits.ts";
import type { AppContext } from "./context.ts";

/** @returns the answer for an error: a problem document (RFC 9457) with the headers that its code needs */
export function problemOf(error: TidegateError, c: AppContext): Response {
  const headers: Record<string, string> = {
    ...error.details.headers,
    "content-type": "application/problem+json",
  };
  // If the configuration was refused, there are no issuers to read.
  const proofs = c.deployment?.config.issuers.some(({ dpop }) => dpop !== "off") ?? false;
  const challenge = challengeOf(error, { proofs, url: c.url });
  if (challenge !== undefined) headers["www-authenticate"] = challenge;
  const { retryAfter = error.status === 503 || error.status === 429 ? limits.retryAfterSeconds : undefined } =
    error.details;
  if (retryAfter !== undefined) headers["retry-after"] = String(retryAfter);
  if (error.details.allow !== undefined) headers.allow = error.details.allow;
  return new Response(JSON.stringify(toProblem(error, c.requestId)), { status: error.status, headers });
}
