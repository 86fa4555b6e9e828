import { existsSync } from "node:fs";
import { join } from "node:path";
import { Stop } from "../command/errors.ts";
import { privateDirectory, typed } from "./paths.ts";

/**
 * A project's own signing key, for callers before there is an issuer. `tidegate connect` makes it, `tidegate token` signs
 * with it, and the policy names its public half as the keys of this issuer. A reader of the private half can be any caller,
 * so an environment that trusts it is not deployed, and is served to this machine alone.
 */

/** The issuer of its tokens. It is no address, so nothing can be asked there. */
export const developmentIssuer = "urn:tidegate:development-key";

/** @returns the file with the private JWK of an environment. git ignores its folder */
export function developmentKeyFile(environment: string): string {
  return join(privateDirectory(), "keys", `${environment}.json`);
}

/** @returns the project's file with its public half, as the policy names it */
export function developmentKeySet(environment: string): string {
  return `ca/${environment}.development.jwks.json`;
}

/** @returns whether the policy accepts tokens of the project's own key */
export function trustsDevelopmentKey({ issuers }: { issuers?: unknown }): boolean {
  return (
    Array.isArray(issuers) &&
    issuers.some((one: unknown) => (one as { issuer?: unknown })?.issuer === developmentIssuer)
  );
}

/** What an operator must know of an environment that trusts the key. */
export const developmentKeyWarning =
  "issuers: it accepts tokens of this project's own key, whose private half is a file on this machine: that is for trying, and deploy refuses it";

/**
 * A gateway that others reach must not trust a file of somebody's machine.
 * @param refused what is not done: "Not deployed"
 * @param otherwise a remedy besides another issuer: "leave out --trust-proxy"
 * @throws Stop if the policy does
 */
export function refuseDevelopmentKey(
  environment: string,
  policy: { issuers?: unknown },
  refused: string,
  otherwise?: string,
): void {
  if (!trustsDevelopmentKey(policy)) return;
  const remedy = `Your issuer takes its place with ${typed("connect", `--env ${environment} --issuer URL`)}`;
  throw new Stop(
    `${refused}: [env.${environment}] accepts tokens of this project's own key (${developmentIssuer}), which is for trying. ${remedy}${otherwise === undefined ? "" : `; or ${otherwise}`}.`,
  );
}

/** @returns whether this checkout has the private half */
export function hasDevelopmentKey(environment: string): boolean {
  return existsSync(developmentKeyFile(environment));
}
