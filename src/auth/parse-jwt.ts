import { TidegateError } from "../errors.ts";
import { limits } from "../limits.ts";
import { duplicateMember } from "../members.ts";

/** The parts of a JWT, parsed but not verified. They may only choose the keys to verify with. */
export interface UnverifiedToken {
  header: Readonly<Record<string, unknown>>;
  claims: Readonly<Record<string, unknown>>;
}

/** The kind of JWT: the error code and the noun for its refusals, and its longest text. */
export interface TokenKind {
  code: "token_malformed" | "proof_invalid";
  noun: "token" | "proof";
  maxBytes: number;
}

const accessToken: TokenKind = {
  code: "token_malformed",
  noun: "token",
  maxBytes: limits.tokenBytesCeiling,
};

/**
 * Parses a JWS in compact form (RFC 7515 §7.1) strictly, so that every program reads the same values from it:
 * canonical base64url (RFC 4648 §3.5), UTF-8, JSON objects without duplicate members (RFC 8725 §2.4, §3.7),
 * claims of the types in RFC 7519 §4.1, and finite numbers (1e999 would never expire). Some header members
 * would change the signed content or the trusted key: `crit` and `b64` are refused, and `jwk`, `jku`, `x5u`
 * and `x5c` are ignored.
 * @throws TidegateError with the kind's code; the message never repeats a part of the token
 */
export function parseJwt(token: string, kind = accessToken): UnverifiedToken {
  return refusing(kind, () => read(token, kind.maxBytes));
}

/**
 * Parses the claims of a token as strictly as `parseJwt`.
 * @param text a JSON object
 * @throws TidegateError `token_malformed`; the message never repeats a part of the text
 */
export function parseClaims(text: string): UnverifiedToken["claims"] {
  return refusing(accessToken, () => readClaims(Buffer.from(text)));
}

function refusing<T>({ code, noun }: TokenKind, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof FormError)) throw cause;
    throw new TidegateError(code, { detail: `The ${noun}${cause.message}.` });
  }
}

/** The message is the rest of a sentence that begins with "The token". */
class FormError extends Error {}

function read(token: string, maxBytes: number): UnverifiedToken {
  if (Buffer.byteLength(token) > maxBytes) throw new FormError(` has more than ${maxBytes} bytes`);
  const parts = token.split(".");
  if (parts.length !== 3) throw new FormError(" is not a JWS in compact form");
  const [header, claims] = parts.map(decode) as [Buffer, Buffer, Buffer];
  return { header: readHeader(header), claims: readClaims(claims) };
}

function readHeader(bytes: Buffer): UnverifiedToken["header"] {
  const header = parseObject(bytes, "header");
  checkHeader(header);
  return header;
}

function readClaims(bytes: Buffer): UnverifiedToken["claims"] {
  const claims = parseObject(bytes, "claims");
  checkClaims(claims);
  return claims;
}

function decode(part: string): Buffer {
  const bytes = Buffer.from(part, "base64url");
  // Node's decoder accepts other spellings of the same bytes. Then a second token text would have the same
  // meaning.
  if (part === "" || bytes.toString("base64url") !== part) throw new FormError(" is not canonical base64url");
  return bytes;
}

function parseObject(bytes: Buffer, what: string): Record<string, unknown> {
  let value: unknown;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(text);
  } catch {
    throw new FormError(`'s ${what} cannot be read`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new FormError(`'s ${what} cannot be read`);
  }
  if (duplicateMember(text, { "": value }) !== undefined)
    throw new FormError(`'s ${what} has a member twice`);
  return value as Record<string, unknown>;
}

function checkHeader(header: Record<string, unknown>): void {
  if (typeof header.alg !== "string") throw new FormError("'s header has no alg");
  for (const name of ["crit", "b64", "enc", "zip"]) {
    if (Object.hasOwn(header, name)) throw new FormError(`'s header has ${name}, which is not accepted`);
  }
  for (const name of ["typ", "kid", "cty"]) {
    if (Object.hasOwn(header, name) && typeof header[name] !== "string") {
      throw new FormError(`'s ${name} is not text`);
    }
  }
}

function checkClaims(claims: Record<string, unknown>): void {
  for (const name of ["exp", "nbf", "iat"]) {
    if (Object.hasOwn(claims, name) && !Number.isFinite(claims[name])) {
      throw new FormError(`'s claim ${name} is not a number`);
    }
  }
  for (const name of ["iss", "sub", "jti", "azp", "client_id"]) {
    if (Object.hasOwn(claims, name) && typeof claims[name] !== "string") {
      throw new FormError(`'s claim ${name} is not text`);
    }
  }
  const { aud } = claims;
  const audiences = Array.isArray(aud) ? aud : [aud ?? ""];
  if (!audiences.every((audience) => typeof audience === "string"))
    throw new FormError("'s claim aud is not text");
}
