/** A caller with a verified token. */
export interface Caller {
  issuer: string;
  subject: string | undefined;
  claims: Readonly<Record<string, unknown>>;
  /** The thumbprint of the key that the sender must hold (RFC 9449 §6). Most tokens have none. */
  boundTo?: string | undefined;
}
