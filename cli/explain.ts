import { InvalidArgumentError } from "@commander-js/extra-typings";
import type { Action } from "../src/auth/grants.ts";
import { explain } from "../src/auth/grants.ts";
import { parseJwt } from "../src/auth/parse-jwt.ts";
import { permissions } from "../src/config/permissions.ts";
import { parsePolicy } from "../src/config/policy.ts";
import type { OptionsOf } from "./command/declare.ts";
import { declare } from "./command/declare.ts";
import { operatorText, Stop } from "./command/errors.ts";
import { readCatalog } from "./project/application.ts";
import { currentPolicy } from "./project/development.ts";
import { environmentOption } from "./project/environment-option.ts";

export const declaration = declare(
  "explain",
  "Says which grant decides for a token, and why the others do not. The token is read, not verified: this asks what the policy says, not whether the token is good.",
)
  .requiredOption("--token <TOKEN>", "the caller's token")
  .option("--action <ACTION>", `what it wants: ${permissions.join(", ")} or query:NAME`, action, "sql:read")
  .option("--account <NAME>", "the account that the caller asks for")
  .addOption(environmentOption("the environment whose policy decides").default("development"));

export function run({ token, action, account: wanted, env }: OptionsOf<typeof declaration>): number {
  const { claims } = readClaims(token);
  const caller = { issuer: String(claims.iss), subject: claims.sub as string | undefined, claims };
  const grants = grantsOf(env);
  const { matches, decisive, account, refusal } = explain(grants, caller, action as Action, wanted);
  for (const [i, { grant, mismatch }] of matches.entries()) {
    const mark = grant === decisive ? "→" : " ";
    console.log(
      `${mark} grants[${i}] ${grant.account} (${grant.allow.join(", ")}): ${mismatch ?? "matches"}`,
    );
  }
  console.log(
    account === undefined
      ? `${action}: denied. ${refusal}`
      : `${action}: ${["operate", "metrics"].includes(action) ? "on every account" : `as ${account}`}`,
  );
  if (account === undefined && decisive !== undefined) {
    const tag = action.startsWith("query:") ? ', or "query:#TAG" of a tag of the query,' : "";
    console.log(
      `To allow it, add "${action}"${tag} to allow of grants[${grants.indexOf(decisive)}] in tidegate.toml, [env.${env}].`,
    );
  }
  return account === undefined ? 1 : 0;
}

function readClaims(token: string) {
  try {
    return parseJwt(token);
  } catch (cause) {
    throw new Stop(`--token: ${operatorText(cause)}`, 2);
  }
}

function grantsOf(environment: string) {
  try {
    return parsePolicy(currentPolicy(environment), environment, readCatalog()).grants;
  } catch (cause) {
    throw new Stop(operatorText(cause), 2);
  }
}

function action(text: string): string {
  if (/^query:[a-z0-9_-]+$/.test(text) || permissions.some((one) => one === text)) return text;
  throw new InvalidArgumentError(`It takes ${permissions.join(", ")} or query:NAME.`);
}
