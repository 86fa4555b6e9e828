import type { Issuer } from "../config/config.ts";
import type { KeySet } from "../config/key-set.ts";
import { usableKeys } from "../config/key-set.ts";
import { isSafeUrl } from "../config/safe-url.ts";
import { limits } from "../limits.ts";
import { readAtMost } from "../read-body.ts";

/**
 * Fetches an issuer's keys: https, no redirects, bounded in time and size.
 * @param refused receives the reasons why keys of the set are not used
 * @throws Error with the cause, for the operator
 */
export async function fetchKeys(
  issuer: Issuer,
  environment: string,
  refused: (reasons: string[]) => void,
): Promise<KeySet> {
  const { keys } = issuer;
  if (keys.kind !== "remote" && keys.kind !== "discovery")
    throw new Error("the issuer's keys are not remote");
  const uri = keys.kind === "remote" ? keys.uri : await discover(issuer.issuer, keys.uri, environment);
  const usable = usableKeys(await fetchJson(uri));
  if (usable.refused.length > 0) refused(usable.refused);
  // A set without a usable key is a mistake of the issuer. So throw, and the earlier keys stay in use.
  if (usable.jwks.keys.length === 0) throw new Error("the set has no key that can be used");
  return usable.jwks;
}

/** OpenID Connect Discovery 1.0 §4.3: the metadata must name the very issuer that they were asked of. */
async function discover(issuer: string, uri: string, environment: string): Promise<string> {
  const metadata = (await fetchJson(uri)) as { issuer?: unknown; jwks_uri?: unknown } | null;
  if (metadata?.issuer !== issuer) throw new Error("the metadata are another issuer's");
  const { jwks_uri } = metadata;
  if (typeof jwks_uri !== "string" || !isSafeUrl(jwks_uri, environment)) {
    throw new Error("the metadata's jwks_uri is not an https URL");
  }
  return jwks_uri;
}

async function fetchJson(uri: string): Promise<unknown> {
  const response = await fetch(uri, {
    headers: { accept: "application/json" },
    redirect: "manual",
    signal: AbortSignal.timeout(limits.jwksTimeoutMs),
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`status ${response.status}`);
  }
  const bytes = await readAtMost(response.body, limits.jwksBytes);
  if (!bytes) throw new Error(`more than ${limits.jwksBytes} bytes`);
  return JSON.parse(bytes.toString("utf8"));
}
