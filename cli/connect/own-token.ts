import { mint, readSigningKey } from "../../servers/issuer/issuer.ts";
import { parsePolicy } from "../../src/config/policy.ts";
import { Stop } from "../command/errors.ts";
import { readCatalog } from "../project/application.ts";
import { developmentIssuer, developmentKeyFile, hasDevelopmentKey } from "../project/development-key.ts";
import { typed } from "../project/paths.ts";
import { readPolicyFile } from "../project/project-file.ts";
import { claimsFor, subjectOf } from "../project/roles.ts";
import type { Claim } from "./who.ts";

/** Tokens that the project's own key signs, for trying an environment without an issuer. */

export interface OwnTokenOptions {
  env: string;
  /** The claims that the token has besides those of every token; none for those of the first grant. */
  claims: readonly Claim[];
  /** Undefined for the subject that the grant names. */
  sub: string | undefined;
  expires: string;
}

/** @throws Stop if the environment does not accept such tokens, or the key is not in this checkout */
export async function ownToken({ env, claims, sub, expires }: OwnTokenOptions): Promise<string> {
  const policy = parsePolicy(readPolicyFile(env), env, readCatalog());
  const again = typed("connect", `--env ${env} --development-key`);
  const issuer = policy.issuers.find((one) => one.issuer === developmentIssuer);
  if (issuer === undefined) {
    throw new Stop(
      `[env.${env}] does not accept tokens of this project's own key: take a token of its issuer, or let ${again} make a key for trying.`,
    );
  }
  if (!hasDevelopmentKey(env))
    throw new Stop(
      `The project's own key is not in this checkout (${developmentKeyFile(env)}): ${again} makes a new one.`,
    );
  const key = await readSigningKey(developmentKeyFile(env)).catch(() => {
    throw new Stop(
      `${developmentKeyFile(env)} holds no private key: remove it, and ${again} makes a new one.`,
    );
  });
  const { keys = [] } = issuer.jwks ?? {};
  if (!keys.some((one) => (one as { kid?: unknown }).kid === key.publicJwk.kid)) {
    throw new Stop(
      `The key of this checkout is not the one that [env.${env}] accepts: ${again} makes them the same again.`,
    );
  }
  const grant = policy.grants.find((one) => one.issuer === developmentIssuer);
  const said = claims.length > 0 ? Object.fromEntries(claims) : grant ? claimsFor(grant) : {};
  return await mint(
    key,
    {
      ...said,
      iss: developmentIssuer,
      [issuer.audience_claim]: issuer.audience[0],
      sub: sub ?? subjectOf(grant),
    },
    { expires },
  );
}
