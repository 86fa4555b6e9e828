/** How a caller proves who it is, as security schemes of OpenAPI. */

/** What the document says of an issuer. */
export interface DocumentedIssuer {
  issuer: string;
  /** A token needs one of them. */
  audiences: readonly string[];
  /** The claim that has it: `aud`, or what the issuer sends in its place. */
  audienceClaim: string;
  /** The address of its metadata (OpenID Connect Discovery 1.0 §4), if the gateway reads it. */
  discovery?: string | undefined;
  /** Whether its tokens can or must be bound to a key (RFC 9449). */
  dpop: "off" | "optional" | "required";
}

export interface SecurityScheme {
  type: "http" | "openIdConnect";
  description: string;
  scheme?: string;
  bearerFormat?: string;
  openIdConnectUrl?: string;
}

const proofs = {
  off: "",
  optional:
    " A token that is bound to a key (RFC 9449) is sent as `Authorization: DPoP TOKEN`, with a proof in the header `DPoP`.",
  required:
    " Each token is bound to a key (RFC 9449): send it as `Authorization: DPoP TOKEN`, with a proof in the header `DPoP`.",
};

/**
 * @param issuers none for a document that belongs to no environment
 * @returns the schemes by their names in the document
 */
export function securitySchemes(issuers: readonly DocumentedIssuer[]): Record<string, SecurityScheme> {
  if (issuers.length === 0) {
    const description = "A JWT of an issuer that the gateway knows.";
    return { token: { type: "http", scheme: "bearer", bearerFormat: "JWT", description } };
  }
  return Object.fromEntries(issuers.map((issuer, index) => [`issuer${index + 1}`, schemeOf(issuer)]));
}

function schemeOf({ issuer, audiences, audienceClaim, discovery, dpop }: DocumentedIssuer): SecurityScheme {
  const claim = audienceClaim === "aud" ? "" : ` in its claim ${audienceClaim}`;
  const description = `A JWT of the issuer ${issuer}, for the audience ${audiences.join(" or ")}${claim}.${proofs[dpop]}`;
  if (discovery !== undefined) return { type: "openIdConnect", openIdConnectUrl: discovery, description };
  const scheme = dpop === "required" ? "DPoP" : "bearer";
  return { type: "http", scheme, bearerFormat: "JWT", description };
}
