import { Stop } from "../command/errors.ts";
import { clean } from "../node/connection-errors.ts";
import { projectFile } from "../project/paths.ts";
import { isSame } from "./toml.ts";
import type { Keys } from "./toml-lines.ts";

/** A new grant among those that the environment has: the first one that matches a caller decides. */

/**
 * @returns whether the grant is there already
 * @throws Stop if these callers may do something else already, or have another account, which would decide
 */
export function hasGrant(grants: readonly Keys[], grant: Keys, env: string): boolean {
  const { issuer, claims, account, allow } = grant;
  const same = grants.find(
    (one) =>
      one.issuer === issuer &&
      isSame(one.claims, claims) &&
      one.scopes === undefined &&
      one.account === account,
  );
  if (same !== undefined && !isSame(same.allow, allow))
    throw new Stop(
      `A grant gives these callers other permissions already: change its allow in ${projectFile}.`,
    );
  if (same !== undefined) return true;
  const i = grants.findIndex((one) => isEarlier(one, grant));
  if (i < 0) return false;
  throw new Stop(
    `${projectFile}: env.${env}.grants[${i}] gives these callers the account ${clean(String(grants[i]?.account))} already, and they would have both: name the callers of ${clean(String(account))} with --claim NAME=VALUE.`,
  );
}

/** @returns whether a grant gives all callers of a new one another account */
export function isOtherAccounts(grants: readonly Keys[], grant: Keys): boolean {
  return grants.some((one) => isEarlier(one, grant));
}

/** A grant for some subjects, or with scopes, is for fewer callers. */
function isEarlier({ issuer, account, subject = "*", scopes, claims = {} }: Keys, grant: Keys): boolean {
  return (
    issuer === grant.issuer &&
    account !== grant.account &&
    subject === "*" &&
    scopes === undefined &&
    isPart(claims, grant.claims)
  );
}

function isPart(some: unknown, all: unknown): boolean {
  if (typeof some !== "object" || some === null) return some === all;
  if (typeof all !== "object" || all === null) return false;
  return Object.entries(some).every(
    ([name, value]) => Object.hasOwn(all, name) && isPart(value, (all as Keys)[name]),
  );
}
