import type { Issuer } from "../config/issuer.ts";
import type { KeySet } from "../config/key-set.ts";
import { isSafeUrl } from "../config/safe-url.ts";
import { limits } from "../limits.ts";
import { readAtMost } from "../read-body.ts";
import { importableKeys } from "./import-keys.ts";

/** Why an issuer's keys cannot be had. */
export type KeysFault =
  /** No answer; the error's cause is the reason. */
  | { kind: "unreachable" }
  | { kind: "status"; status: number; location: string | null }
  | { kind: "too_large" }
  | { kind: "not_json"; contentType: string | null }
  /** The metadata name another issuer, or none. */
  | { kind: "other_issuer"; named: string | undefined }
  | { kind: "jwks_uri"; named: string | undefined }
  | { kind: "not_a_set" }
  | { kind: "no_usable_key"; refused: readonly string[] };

/** The message is for the log; `fault` is for a command that says more. */
export class KeysFetchError extends Error {
  override readonly name = "KeysFetchError";
  /** The address that was asked. */
  readonly uri: string;
  readonly fault: KeysFault;

  constructor(message: string, uri: string, fault: KeysFault, cause?: unknown) {
    super(message, { cause });
    this.uri = uri;
    this.fault = fault;
  }
}

/**
 * Fetches an issuer's keys: https, no redirects, bounded in time and size.
 * @param refused receives the reasons why keys of the set are not used
 * @throws KeysFetchError
 */
export async function fetchKeys(
  { issuer, keys }: Pick<Issuer, "issuer" | "keys">,
  environment: string,
  refused: (reasons: string[]) => void,
): Promise<KeySet> {
  if (keys.kind !== "remote" && keys.kind !== "discovery")
    throw new Error("the issuer's keys are not remote");
  const uri = keys.kind === "remote" ? keys.uri : await discover(issuer, keys.uri, environment);
  const set = await fetchJson(uri);
  if (!isSet(set)) throw new KeysFetchError("not a JWK set", uri, { kind: "not_a_set" });
  const usable = await importableKeys(set);
  const reasons = bounded([...usable.refused, ...usable.foreign]);
  if (reasons.length > 0) refused(reasons);
  // A set without a usable key is a mistake of the issuer. So throw, and the earlier keys stay in use.
  if (usable.jwks.keys.length === 0) {
    const fault = { kind: "no_usable_key", refused: reasons } as const;
    throw new KeysFetchError("the set has no key that can be used", uri, fault);
  }
  return usable.jwks;
}

function bounded(reasons: string[]): string[] {
  const more = reasons.length - limits.refusedKeysShown;
  return more > 0 ? [...reasons.slice(0, limits.refusedKeysShown), `${more} more keys`] : reasons;
}

/** OpenID Connect Discovery 1.0 §4.3: the metadata must name the very issuer that they were asked of. */
async function discover(issuer: string, uri: string, environment: string): Promise<string> {
  const metadata = (await fetchJson(uri)) as { issuer?: unknown; jwks_uri?: unknown } | null;
  if (metadata?.issuer !== issuer) {
    const fault = { kind: "other_issuer", named: textOf(metadata?.issuer) } as const;
    throw new KeysFetchError("the metadata are another issuer's", uri, fault);
  }
  const { jwks_uri } = metadata;
  if (typeof jwks_uri !== "string" || !isSafeUrl(jwks_uri, environment)) {
    const fault = { kind: "jwks_uri", named: textOf(jwks_uri) } as const;
    throw new KeysFetchError("the metadata's jwks_uri is not an https URL", uri, fault);
  }
  return jwks_uri;
}

/**
 * RFC 7517 §8.5.2. Kubernetes answers 406 to a request that does not name the type of key sets, and static servers have
 * types of their own.
 */
const accept = "application/jwk-set+json, application/json, */*";

/** No message can say an object or a deep list. */
function textOf(named: unknown): string | undefined {
  return typeof named === "string" ? named : undefined;
}

async function fetchJson(uri: string): Promise<unknown> {
  const unreachable = (cause: unknown) => {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new KeysFetchError(message, uri, { kind: "unreachable" }, cause);
  };
  const response = await fetch(uri, {
    headers: { accept },
    redirect: "manual",
    signal: AbortSignal.timeout(limits.jwksTimeoutMs),
  }).catch(unreachable);
  const { status, headers } = response;
  if (status !== 200) {
    await response.body?.cancel();
    const fault = { kind: "status", status, location: headers.get("location") } as const;
    throw new KeysFetchError(`status ${status}`, uri, fault);
  }
  const bytes = await readAtMost(response.body, limits.jwksBytes).catch(unreachable);
  if (!bytes) throw new KeysFetchError(`more than ${limits.jwksBytes} bytes`, uri, { kind: "too_large" });
  try {
    // Its decoder drops a byte order mark, which editors of some systems write.
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    const fault = { kind: "not_json", contentType: headers.get("content-type") } as const;
    throw new KeysFetchError(cause instanceof Error ? cause.message : "not JSON", uri, fault);
  }
}

function isSet(value: unknown): boolean {
  return Array.isArray((value as { keys?: unknown } | null)?.keys);
}
