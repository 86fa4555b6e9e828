import type { IssuerRules } from "../config/issuer.ts";
import { TidegateError } from "../errors.ts";
import { limits } from "../limits.ts";
import { duplicateMember } from "../members.ts";
import type { UnverifiedToken } from "./parse-jwt.ts";

/**
 * The rules of an issuer for its tokens, all except the signature and the algorithm. `verify` refuses a token
 * for its first fault, and the command `explain` prints all of them.
 */

type Claims = UnverifiedToken["claims"];

/**
 * Reads the claims whose value is JSON in a text (Hasura's form). A value of another type stays as it is.
 * @returns the claims; the same object if the issuer has no such claims
 * @throws TidegateError `token_invalid` if a text is not JSON, or has a member twice
 */
export function openJsonClaims(claims: Claims, { jsonClaims }: IssuerRules): Claims {
  const found = jsonClaims.filter((name) => Object.hasOwn(claims, name) && typeof claims[name] === "string");
  if (found.length === 0) return claims;
  return Object.fromEntries([
    ...Object.entries(claims),
    ...found.map((name) => [name, parseClaim(name, String(claims[name]))]),
  ]);
}

function parseClaim(name: string, text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw refused(`The claim ${name} is not JSON.`);
  }
  if (duplicateMember(text, { "": value }) !== undefined)
    throw refused(`The JSON in the claim ${name} has a member twice.`);
  return value;
}

/** @returns the fault of a token that is longer than its issuer's may be */
export function lengthFault(token: string, { maxTokenBytes }: IssuerRules): TidegateError | undefined {
  // A token has ASCII characters only: parseJwt refuses others.
  if (token.length <= maxTokenBytes) return undefined;
  return new TidegateError("token_malformed", {
    detail: `The token has ${token.length} bytes, and a token of its issuer may have ${maxTokenBytes} (max_token_bytes).`,
  });
}

/**
 * Says everything that is wrong with a token by its issuer's rules.
 * @param token its claims as `openJsonClaims` gives them
 * @returns `token_expired` and `token_invalid`, the most telling one first; none for a good token
 */
export function* faultsOf(
  { header, claims }: UnverifiedToken,
  issuer: IssuerRules,
  now: Date,
): Generator<TidegateError, void> {
  yield* timeFaults(claims, Math.floor(now.getTime() / 1000));
  yield* audienceFaults(claims, issuer);
  const { typ, authorizedParties, maxLifetimeSeconds, requiredClaims } = issuer;
  if (typ !== undefined && mediaType(header.typ) !== mediaType(typ))
    yield refused("The token is of another kind (typ).");
  for (const name of requiredClaims)
    if (!Object.hasOwn(claims, name) || claims[name] === null) yield lacks(name);
  if (authorizedParties.length > 0) {
    // OpenID Connect's azp and RFC 9068's client_id. If a token has both, both must be known.
    const parties = [claims.azp, claims.client_id].filter((party) => party !== undefined);
    const known = parties.every((party) => authorizedParties.includes(String(party)));
    if (parties.length === 0 || !known) yield refused("The token was issued to another client.");
  }
  if (maxLifetimeSeconds !== undefined) {
    const { iat, exp } = claims;
    if (iat === undefined) yield lacks("iat");
    else if (Number(exp) - Number(iat) > maxLifetimeSeconds)
      yield refused("The token lives for longer than its issuer may let it.");
  }
  yield* bindingFaults(claims, issuer);
}

/** RFC 7519 §4.1.4 to §4.1.6. parseJwt has checked that the times are numbers. */
function* timeFaults(claims: Claims, now: number): Generator<TidegateError, void> {
  const { exp, nbf, iat } = claims as { exp?: number; nbf?: number; iat?: number };
  const skew = limits.clockSkewSeconds;
  for (const [name, time] of Object.entries({ exp, nbf, iat }))
    if (time !== undefined && time > limits.latestTokenSeconds)
      yield refused(`The claim ${name} is beyond the year 2200: it must be seconds, not milliseconds.`);
  if (exp === undefined) yield lacks("exp");
  else if (exp <= now - skew) yield new TidegateError("token_expired");
  if (nbf !== undefined && nbf > now + skew) yield refused("The token is not valid yet (nbf).");
  if (iat !== undefined && iat > now + skew) yield refused("The token was issued in the future (iat).");
}

/** RFC 7519 §4.1.3. A token that has aud must be for the gateway, also if another claim stands for it. */
function* audienceFaults(
  claims: Claims,
  { audiences, audienceClaim }: IssuerRules,
): Generator<TidegateError, void> {
  const names =
    audienceClaim !== "aud" && Object.hasOwn(claims, "aud") ? [audienceClaim, "aud"] : [audienceClaim];
  for (const name of names) {
    const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
    const named: unknown[] = Array.isArray(value) ? value : [value];
    if (value === undefined || value === null) yield lacks(name);
    else if (!named.every((audience) => typeof audience === "string"))
      yield refused(`The token's audience is not text (${name}).`);
    else if (!named.some((audience) => audiences.includes(audience)))
      yield refused(`The token is for another audience (${name}).`);
  }
}

/**
 * A SHA-256 in base64url (RFC 7638 §3.1). It has 32 bytes, so the last two bits of the last character are
 * zero.
 */
const thumbprint = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

/**
 * Refuses a binding to a key (RFC 7800 §3.1, RFC 9449 §6.1) that the gateway cannot check: as an ordinary
 * token, it would work for a thief.
 */
function* bindingFaults({ cnf }: Claims, { dpop }: IssuerRules): Generator<TidegateError, void> {
  if (cnf === undefined) {
    if (dpop === "required")
      yield refused("The token is not bound to a key (cnf), and its issuer's must be.");
    return;
  }
  if (dpop === "off") {
    yield refused("The token is bound to a key (cnf), and proofs of its issuer are not taken.");
    return;
  }
  const { jkt, ...others } = (cnf ?? {}) as Record<string, unknown>;
  if (typeof jkt !== "string" || !thumbprint.test(jkt) || Object.keys(others).length > 0)
    yield refused("The token is bound in another way than by the thumbprint of a key (cnf.jkt).");
}

/** @returns the thumbprint of the key that a token without faults is bound to; undefined without a binding */
export function boundKeyOf({ cnf }: Claims): string | undefined {
  return (cnf as { jkt: string } | undefined)?.jkt;
}

/** RFC 7515 §4.1.9: "application/" is optional, and case does not matter. */
function mediaType(typ: unknown): string | undefined {
  if (typeof typ !== "string") return undefined;
  const lower = typ.toLowerCase();
  return lower.includes("/") ? lower : `application/${lower}`;
}

function lacks(claim: string): TidegateError {
  return refused(`The token lacks the claim ${claim}.`);
}

function refused(detail: string): TidegateError {
  return new TidegateError("token_invalid", { detail });
}
