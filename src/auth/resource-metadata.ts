import type { Config } from "../config/config.ts";
import { isSafeUrl } from "../config/safe-url.ts";
import { proofAlgorithms } from "./dpop.ts";

/** RFC 9728 §3: the place of a resource's metadata, if the resource's identifier has no path. */
export const metadataPath = "/.well-known/oauth-protected-resource";

/** The metadata of a protected resource (RFC 9728 §2), with the parameters that this gateway can tell. */
export interface ResourceMetadata {
  /** The resource's identifier: the gateway's origin. */
  resource: string;
  /** Issuer identifiers (RFC 8414 §2). */
  authorization_servers?: string[];
  /** What a client may ask its issuer for. */
  scopes_supported?: string[];
  bearer_methods_supported: ["header"];
  dpop_signing_alg_values_supported?: readonly string[];
  dpop_bound_access_tokens_required?: true;
  resource_documentation?: string;
}

/**
 * Describes the gateway to a client that has no token yet. A parameter without a value is left out (RFC 9728 §3.2).
 * @param origin the origin that the client has asked
 */
export function resourceMetadata(
  { environment, issuers, grants, docs }: Pick<Config, "environment" | "issuers" | "grants" | "docs">,
  origin: string,
): ResourceMetadata {
  const servers = issuers.filter(({ keys }) => keys.kind === "remote" || keys.kind === "discovery");
  const named = servers.map(({ issuer }) => issuer).filter((issuer) => isIdentifier(issuer, environment));
  const scopes = [...new Set(grants.flatMap((grant) => grant.scopes ?? []))];
  return {
    resource: origin,
    ...(named.length > 0 && { authorization_servers: named }),
    ...(scopes.length > 0 && { scopes_supported: scopes }),
    bearer_methods_supported: ["header"],
    ...(issuers.some(({ dpop }) => dpop !== "off") && { dpop_signing_alg_values_supported: proofAlgorithms }),
    ...(issuers.every(({ dpop }) => dpop === "required") && { dpop_bound_access_tokens_required: true }),
    ...(docs !== undefined && { resource_documentation: `${origin}/docs` }),
  };
}

/** RFC 8414 §2: an https URL without query and fragment. An issuer of another form is no server that a client can ask. */
function isIdentifier(issuer: string, environment: string): boolean {
  return isSafeUrl(issuer, environment) && !/[?#]/.test(issuer);
}
