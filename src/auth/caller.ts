import type { JWTPayload } from "jose";

/** Somebody whose token has been verified. */
export interface Caller {
  issuer: string;
  subject: string | undefined;
  claims: Readonly<JWTPayload>;
  /** The thumbprint of the key that whoever sends the token must hold (RFC 9449 §6); most tokens have none. */
  boundTo?: string | undefined;
}
