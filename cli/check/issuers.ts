import type { KeysFault } from "../../src/auth/fetch-keys.ts";
import { fetchKeys, KeysFetchError } from "../../src/auth/fetch-keys.ts";
import { metadataOf } from "../../src/config/issuer.ts";
import { describeKeys, keyMistake, keyWarnings } from "../../src/config/key-findings.ts";
import type { Policy } from "../../src/config/schema.ts";
import { limits } from "../../src/limits.ts";
import { chainOf, systemErrorText } from "../command/system-errors.ts";
import { clean } from "../node/connection-errors.ts";

/** Asks each issuer of a policy for its keys, with the Worker's own code, and says in words what is wrong. */

export interface IssuersChecked {
  /** Callers of these issuers are refused. One line each. */
  mistakes: string[];
  /** Issuers that did not answer, which says nothing of the policy. One line each. */
  untried: string[];
  /** What is wrong with a part of an issuer's keys, while others work. */
  warnings: string[];
  notes: string[];
}

/** @param environment its name; http is allowed in development */
export async function checkIssuers(issuers: Policy["issuers"], environment: string): Promise<IssuersChecked> {
  const checked: IssuersChecked = { mistakes: [], untried: [], warnings: [], notes: [] };
  await Promise.all(
    issuers.map((issuer, i) => checkIssuer(issuer, `issuers[${i}], ${issuer.issuer}`, environment, checked)),
  );
  return checked;
}

async function checkIssuer(
  issuer: Policy["issuers"][number],
  at: string,
  environment: string,
  { mistakes, untried, warnings, notes }: IssuersChecked,
): Promise<void> {
  const keys =
    issuer.jwks_uri !== undefined
      ? ({ kind: "remote", uri: issuer.jwks_uri } as const)
      : ({ kind: "discovery", uri: metadataOf(issuer) } as const);
  if (issuer.jwks_uri === undefined && issuer.discovery === undefined) {
    notes.push(`${at}: its keys are in the project: there is nothing to ask`);
    return;
  }
  try {
    const { keys: usable } = await fetchKeys({ issuer: issuer.issuer, keys }, environment, (reasons) =>
      warnings.push(...reasons.map((reason) => `${at}: a key that it publishes is not used: ${reason}`)),
    );
    const mistake = keyMistake(usable, issuer.algorithms);
    if (mistake !== undefined) {
      mistakes.push(`${at}: ${mistake}`);
      return;
    }
    warnings.push(...keyWarnings(usable, issuer.algorithms).map((line) => `${at}: ${line}`));
    notes.push(`${at}: ${counted(usable)} for ${describeKeys(usable)}`);
  } catch (cause) {
    if (!(cause instanceof KeysFetchError)) throw cause;
    (cause.fault.kind === "unreachable" ? untried : mistakes).push(`${at}: ${wordsOf(cause)}`);
  }
}

/** @returns "1 key", "2 keys" */
export function counted(keys: readonly unknown[]): string {
  return keys.length === 1 ? "1 key" : `${keys.length} keys`;
}

/** @returns one sentence: what is wrong, and the remedy */
export function wordsOf({ uri, fault, cause }: KeysFetchError): string {
  const lines: { [Kind in KeysFault["kind"]]: (fault: Extract<KeysFault, { kind: Kind }>) => string } = {
    unreachable: () => unreachable(uri, cause),
    status: ({ status, location }) => statusWords(uri, status, location),
    too_large: () =>
      `${uri} answers more than ${limits.jwksBytes} bytes, which no key set has: check the address`,
    not_json: ({ contentType }) =>
      `${uri} does not answer JSON (content-type: ${clean(contentType ?? "none")}): check the address`,
    other_issuer: ({ named }) =>
      named === undefined
        ? `${uri} answers JSON that names no issuer: check the address`
        : `its metadata name the issuer ${clean(named)}: write issuer = ${clean(JSON.stringify(named))}, to the letter, here and in its grants (it is the iss of its tokens)`,
    jwks_uri: ({ named }) =>
      named === undefined
        ? `its metadata have no jwks_uri: give the address of its keys with jwks_uri in place of discovery`
        : `its metadata name the jwks_uri ${clean(named)}, which is not https: the gateway asks no such address`,
    not_a_set: () => `${uri} answers JSON without "keys": it is no JWK set (RFC 7517 §5): check jwks_uri`,
    no_usable_key: ({ refused }) =>
      refused.length === 0
        ? `${uri} answers a key set that is empty: let the issuer publish its signing key`
        : `${uri} has no key that can be used (${refused.join("; ")}): let the issuer publish its public signing key`,
  };
  const line = lines[fault.kind] as (fault: KeysFault) => string;
  return line(fault);
}

function statusWords(uri: string, status: number, location: string | null): string {
  if (location !== null && status >= 300 && status < 400)
    return `${uri} redirects to ${clean(location)} (status ${status}), and the gateway follows no redirect: name the last address`;
  const remedy: Record<number, string> = {
    401: "the address must be public",
    403: "the address must be public, also for requests of Cloudflare's network",
    404: "check the address: the metadata are at ISSUER/.well-known/openid-configuration, the keys where they say",
    406: "it has no answer of a type that the gateway asks for, which is a JWK set, JSON or any other: correct that at the issuer, or at the proxy in front of it",
  };
  return `${uri} answers status ${status}: ${remedy[status] ?? "look at the issuer's log, and try again later"}`;
}

/** The reason stands in the causes: fetch itself says only "fetch failed". */
function unreachable(uri: string, cause: unknown): string {
  const chain = chainOf(cause);
  if (chain.some(({ name }) => name === "TimeoutError"))
    return `${uri} does not answer within ${limits.jwksTimeoutMs} ms: check the address, and the issuer's load`;
  const codes = chain.map((error) => (error as NodeJS.ErrnoException).code ?? "");
  const tls = codes.find((code) => tlsForm.test(code));
  if (tls !== undefined && clearText.test(tls))
    return `${uri} does not speak TLS on this port (${tls}), as a port for http does: name the port for https`;
  if (tls !== undefined) return `${uri} has a certificate that is not trusted: ${tlsWords(tls)}`;
  const { message } = chain.at(-1) ?? new Error("no reason given");
  return `${uri} cannot be reached: ${systemErrorText(cause) ?? `${clean(message)}: check the address`}`;
}

const tlsForm = /CERT|SELF_SIGNED|UNABLE_TO_|ERR_SSL|ERR_TLS/;

/** What OpenSSL says of an answer in clear text; the second is that of newer versions. */
const clearText = /^ERR_SSL_(?:WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG)$/;

function tlsWords(code: string): string {
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") return `it is for another host (${code}): check the address`;
  if (code === "CERT_HAS_EXPIRED") return `it has expired (${code}): let the issuer renew it`;
  if (/SELF_SIGNED|UNABLE_TO_/.test(code))
    return `no public CA has issued it (${code}): Cloudflare trusts public CAs alone; tidegate serve and this command trust those of NODE_EXTRA_CA_CERTS too`;
  return `the TLS handshake failed (${code}): check the address, and that the port speaks TLS`;
}
