import { createHash, randomBytes } from "node:crypto";

/**
 * The development issuer's part of OAuth 2.0's authorization code flow (RFC 6749 §4.1) with PKCE (RFC 7636),
 * without I/O. Clients are public: a page cannot keep a secret. The verifier proves that the same page asks
 * again.
 */

/** The errors of RFC 6749 §4.1.2.1 and §5.2 that can happen here. */
export type OAuthErrorCode =
  | "invalid_request"
  | "invalid_grant"
  | "unsupported_grant_type"
  | "unsupported_response_type";

/** A refusal. The message is for `error_description`, so it has no quotes and no value of the request. */
export class OAuthError extends Error {
  readonly code: OAuthErrorCode;

  constructor(code: OAuthErrorCode, description: string) {
    super(description);
    this.name = "OAuthError";
    this.code = code;
  }
}

/** The address for the answer, which is known before the rest of the request is read. */
export interface ReturnAddress {
  clientId: string;
  redirectUri: string;
  state: string | undefined;
}

/** A request that may be granted (RFC 6749 §4.1.1, RFC 7636 §4.3). */
export interface AuthorizationRequest extends ReturnAddress {
  /** base64url(SHA-256(verifier)). */
  challenge: string;
}

/** How long a code may be redeemed. RFC 6749 §4.1.2 allows ten minutes, a page needs a second. */
export const codeLifetimeMs = 60_000;

const loopback = new Set(["127.0.0.1", "localhost", "[::1]"]);

/**
 * Reads the client and the address for the answer. A mistake here is shown to the person and never redirected
 * (RFC 6749 §4.1.2.1).
 * @throws OAuthError unless `redirect_uri` is http on loopback without a fragment
 */
export function readReturnAddress(parameters: URLSearchParams): ReturnAddress {
  const clientId = once(parameters, "client_id");
  const redirectUri = once(parameters, "redirect_uri");
  if (!clientId) throw new OAuthError("invalid_request", "client_id is missing");
  if (!redirectUri) throw new OAuthError("invalid_request", "redirect_uri is missing");
  const url = URL.canParse(redirectUri) ? new URL(redirectUri) : undefined;
  const isLocal = url?.protocol === "http:" && loopback.has(url.hostname);
  if (!isLocal || url.username || url.password || redirectUri.includes("#")) {
    throw new OAuthError(
      "invalid_request",
      "redirect_uri must be http on this machine (127.0.0.1, localhost or [::1]), without user and fragment: this is a development issuer",
    );
  }
  return { clientId, redirectUri, state: once(parameters, "state") };
}

/**
 * Reads the rest of an authorization request.
 * @throws OAuthError, which goes to the return address (RFC 6749 §4.1.2.1, RFC 7636 §4.4.1)
 */
export function readAuthorizationRequest(
  parameters: URLSearchParams,
  address: ReturnAddress,
): AuthorizationRequest {
  const type = once(parameters, "response_type");
  if (type === undefined) throw new OAuthError("invalid_request", "response_type is missing");
  if (type !== "code") throw new OAuthError("unsupported_response_type", "response_type must be code");
  // Without the parameter, the method would be "plain", which does not protect against a reader of the
  // request.
  if (once(parameters, "code_challenge_method") !== "S256") {
    throw new OAuthError("invalid_request", "code_challenge_method must be S256");
  }
  const challenge = once(parameters, "code_challenge") ?? "";
  if (!/^[A-Za-z0-9_-]{43}$/.test(challenge)) {
    throw new OAuthError("invalid_request", "code_challenge must be the base64url of a SHA-256");
  }
  return { ...address, challenge };
}

/** @returns the return address with the answer's parameters in its query, and the unchanged `state` */
export function redirection(address: ReturnAddress, answer: Record<string, string>): string {
  const url = new URL(address.redirectUri);
  for (const [name, value] of Object.entries(answer)) url.searchParams.set(name, value);
  if (address.state !== undefined) url.searchParams.set("state", address.state);
  return url.href;
}

/** The facts that a code was issued for. */
export interface Redeemed {
  role: string;
  clientId: string;
}

/** The issued codes. Each can be redeemed once, within a minute. */
export interface Codes {
  issue(request: AuthorizationRequest, role: string, nowMs: number): string;
  /**
   * Redeems a token request (RFC 6749 §4.1.3, RFC 7636 §4.5). The first attempt uses the code up, even if it
   * fails, so that nobody can guess the verifier of a stolen code.
   * @throws OAuthError of RFC 6749 §5.2
   */
  redeem(form: URLSearchParams, nowMs: number): Redeemed;
}

export function createCodes(): Codes {
  const out = new Map<string, { request: AuthorizationRequest; role: string; expiresMs: number }>();
  return {
    issue(request, role, nowMs) {
      for (const [code, { expiresMs }] of out) if (expiresMs <= nowMs) out.delete(code);
      const code = randomBytes(32).toString("base64url");
      out.set(code, { request, role, expiresMs: nowMs + codeLifetimeMs });
      return code;
    },
    redeem(form, nowMs) {
      if (demand(form, "grant_type") !== "authorization_code") {
        throw new OAuthError("unsupported_grant_type", "grant_type must be authorization_code");
      }
      const code = demand(form, "code");
      const verifier = demand(form, "code_verifier");
      const redirectUri = demand(form, "redirect_uri");
      const clientId = demand(form, "client_id");
      const found = out.get(code);
      out.delete(code);
      if (!found || found.expiresMs <= nowMs) {
        throw new OAuthError("invalid_grant", "the code is unknown, used or expired");
      }
      const { request, role } = found;
      if (request.clientId !== clientId || request.redirectUri !== redirectUri) {
        throw new OAuthError("invalid_grant", "the code was issued to another client or redirect_uri");
      }
      if (request.challenge !== createHash("sha256").update(verifier).digest("base64url")) {
        throw new OAuthError("invalid_grant", "code_verifier does not fit the code_challenge");
      }
      return { role, clientId };
    },
  };
}

function demand(form: URLSearchParams, name: string): string {
  const value = once(form, name);
  if (!value) throw new OAuthError("invalid_request", `${name} is missing`);
  return value;
}

/** RFC 6749 §3.1, §3.2: no parameter more than once. */
function once(parameters: URLSearchParams, name: string): string | undefined {
  const values = parameters.getAll(name);
  if (values.length > 1) throw new OAuthError("invalid_request", `${name} is there more than once`);
  return values[0];
}
