import { TidegateError } from "../errors.ts";

/** An access token and the scheme that it was sent with. */
export interface Credentials {
  /** RFC 6750 §2.1, or RFC 9449 §7.1. */
  scheme: "bearer" | "dpop";
  token: string;
}

/** Three base64url parts (RFC 7515 §7.1). Their content is checked later. */
const compactJws = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/**
 * Reads the token from an Authorization header. The scheme is case-insensitive (RFC 9110 §11.1).
 * @param header the header's value. Two headers arrive joined by a comma, and no token contains a comma
 * @param maxBytes the longest token of any issuer
 * @throws TidegateError `token_missing`, `token_malformed`
 */
export function credentialsOf(header: string | undefined, maxBytes: number): Credentials {
  if (header === undefined) throw missing();
  const [first = "", token, ...rest] = header.trim().split(/ +/);
  const scheme = first.toLowerCase();
  // Credentials of another scheme count as a missing token: the answer has a challenge without an error (RFC
  // 6750 §3).
  if (scheme !== "bearer" && scheme !== "dpop") throw missing();
  if (token === undefined || rest.length > 0) {
    throw new TidegateError("token_malformed", { detail: "Send exactly one Authorization: Bearer <token>." });
  }
  // A token of this form has a byte for each character.
  const isCompact = compactJws.test(token);
  if ((isCompact ? token.length : Buffer.byteLength(token)) > maxBytes) {
    throw new TidegateError("token_malformed", {
      detail: `The token is longer than any issuer's may be, which is ${maxBytes} bytes (max_token_bytes).`,
    });
  }
  if (!isCompact) {
    throw new TidegateError("token_malformed", { detail: "The token is not a JWS in compact form." });
  }
  return { scheme, token };
}

function missing(): TidegateError {
  return new TidegateError("token_missing", { detail: "Send Authorization: Bearer <token>." });
}
