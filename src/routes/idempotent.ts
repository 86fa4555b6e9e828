import type { BackendContext } from "../db/contract/backend.ts";
import type { Format } from "../db/encode/formats.ts";
import { TidegateError } from "../errors.ts";
import { runOnce } from "../idempotency/client.ts";
import { fingerprintOf, readKey } from "../idempotency/key.ts";
import { limits } from "../limits.ts";
import type { Access } from "./authorize.ts";
import type { AppContext } from "./context.ts";
import { backendContext } from "./context.ts";

const header = "idempotency-key";

/**
 * Runs a request. If it writes and has an Idempotency-Key, it runs at most once for its key. A read may be
 * repeated anyway, so its key is ignored.
 * @param claims gives the bound claims, as `fingerprintOfClaims`
 * @throws TidegateError `idempotency_key_invalid`, `access_denied` for a token without a subject; as
 *   `runOnce`
 */
export async function once(
  c: AppContext,
  { account, caller, ceilings }: Access,
  { writable, format, claims }: { writable: boolean; format: Format; claims?: () => string | undefined },
  run: (context: BackendContext) => Promise<Response>,
): Promise<Response> {
  const context = backendContext(c);
  const given = writable ? c.header(header) : undefined;
  if (given === undefined) return await run(context);
  const key = readKey(given);
  if (c.caller?.subject === undefined) {
    throw new TidegateError("access_denied", {
      reason: "missing_claim",
      detail: "An Idempotency-Key belongs to a subject, and the token has none (sub).",
    });
  }
  const { config } = c;
  const { env, requestId, waitUntil } = context;
  const queueMs = config.accounts.get(account)?.queue_wait_ms ?? 0;
  const answered = runOnce(
    {
      ...{ env, requestId, waitUntil },
      name: JSON.stringify([config.environment, account, caller, key]),
      fingerprint: await fingerprintOf({
        method: c.method,
        path: c.url.pathname + c.url.search,
        format,
        body: c.body ?? "",
        claims: claims?.(),
      }),
      patienceMs: queueMs + ceilings.deadlineMs + limits.idempotencyGraceMs,
    },
    // The work continues after a disconnect: its answer is kept, and the caller may come back with the key.
    () => run({ ...context, signal: new AbortController().signal }),
  );
  waitUntil(answered.catch(() => {}));
  return await answered;
}

/**
 * Refuses a key on routes that cannot keep its promise, so that no caller relies on it.
 * @throws TidegateError `idempotency_key_invalid`
 */
export function demandNoKey(c: AppContext): void {
  if (c.header(header) !== undefined) {
    throw new TidegateError("idempotency_key_invalid", {
      detail: "A transaction over several requests takes no Idempotency-Key; a batch does.",
    });
  }
}
