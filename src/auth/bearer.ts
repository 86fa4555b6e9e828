import { TidegateError } from "../errors.ts";
import { limits } from "../limits.ts";

/** An access token and how it was sent. */
export interface Credentials {
  /** RFC 6750 §2.1, or RFC 9449 §7.1. */
  scheme: "bearer" | "dpop";
  token: string;
}

/** Three base64url parts (RFC 7515 §7.1); what they mean is judged later. */
const compactJws = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/**
 * Takes the token out of an Authorization header; the scheme is case-insensitive (RFC 9110 §11.1).
 * @param header the header's value; two headers arrive joined by a comma, which no token contains
 * @throws TidegateError `token_missing`, `token_malformed`
 */
export function credentialsOf(header: string | undefined): Credentials {
  const missing = new TidegateError("token_missing", { detail: "Send Authorization: Bearer <token>." });
  if (header === undefined) throw missing;
  const [first = "", token, ...rest] = header.trim().split(/ +/);
  const scheme = first.toLowerCase();
  // Another scheme's credentials are no token that could be invalid: a bare challenge (RFC 6750 §3).
  if (scheme !== "bearer" && scheme !== "dpop") throw missing;
  if (token === undefined || rest.length > 0) {
    throw new TidegateError("token_malformed", { detail: "Send exactly one Authorization: Bearer <token>." });
  }
  if (Buffer.byteLength(token) > limits.tokenBytes) {
    throw new TidegateError("token_malformed", { detail: `A token may have ${limits.tokenBytes} bytes.` });
  }
  if (!compactJws.test(token)) {
    throw new TidegateError("token_malformed", { detail: "The token is not a JWS in compact form." });
  }
  return { scheme, token };
}
