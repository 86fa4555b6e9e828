import { InvalidArgumentError } from "@commander-js/extra-typings";
import type { Action } from "../src/auth/grants.ts";
import { explain } from "../src/auth/grants.ts";
import { permissions } from "../src/config/permissions.ts";
import { parsePolicy } from "../src/config/policy.ts";
import type { OptionsOf } from "./command/declare.ts";
import { declare } from "./command/declare.ts";
import { operatorText, Stop } from "./command/errors.ts";
import { judgeClaims, judgeToken, missingClaims } from "./explain/caller.ts";
import { readCatalog } from "./project/application.ts";
import { currentPolicy } from "./project/development.ts";
import { environmentOption } from "./project/environment-option.ts";

export const declaration = declare(
  "explain",
  "Says which grant decides for a caller, and why the others do not, and what the caller's token lacks. The token is read, not verified: its signature does not count. Exit code 1: the gateway would refuse the request.",
)
  .option("--token <TOKEN>", "the caller's token; or --claims")
  .option(
    "--claims <JSON>",
    `the claims of a good token, as '{"role":"analyst"}'; iss may be missing if the environment has one issuer`,
  )
  .option("--action <ACTION>", `what it wants: ${permissions.join(", ")} or query:NAME`, action, "sql:read")
  .option("--account <NAME>", "the account that the caller asks for")
  .addOption(environmentOption("the environment whose policy decides").default("development"));

export function run({ token, claims, action, account: wanted, env }: OptionsOf<typeof declaration>): number {
  if ((token === undefined) === (claims === undefined))
    throw new Stop("Give either --token TOKEN or --claims JSON.");
  const { queries, issuers, grants } = projectOf(env);
  const { caller, faults } =
    token === undefined ? judgeClaims(String(claims), issuers) : judgeToken(token, issuers, new Date());
  for (const fault of faults) console.log(`The gateway refuses this token: ${fault}`);
  const { matches, decisive, account, refusal } = explain(grants, caller, action as Action, wanted);
  for (const [i, { grant, mismatch }] of matches.entries()) {
    const mark = grant === decisive ? "→" : " ";
    console.log(
      `${mark} grants[${i}] ${grant.account} (${grant.allow.join(", ")}): ${mismatch ?? "matches"}`,
    );
  }
  const name = /^query:(.*)$/.exec(action)?.[1];
  const query = queries.find((one) => one.name === name);
  const isUnknown = name !== undefined && query === undefined;
  const refusals = [
    ...(refusal === undefined ? [] : [refusal]),
    ...(isUnknown ? [`There is no saved query ${name}.`] : []),
    ...(query === undefined ? [] : missingClaims(query, caller.claims)),
  ];
  console.log(
    refusals.length > 0
      ? `${action}: denied. ${refusals.join(" ")}`
      : `${action}: ${["operate", "metrics"].includes(action) ? "on every account" : `as ${account}`}`,
  );
  if (account === undefined && decisive !== undefined && !isUnknown) {
    const tag = name === undefined ? "" : ', or "query:#TAG" of a tag of the query,';
    console.log(
      `To allow it, add "${action}"${tag} to allow of grants[${grants.indexOf(decisive)}] in tidegate.toml, [env.${env}].`,
    );
  }
  return refusals.length > 0 || faults.length > 0 ? 1 : 0;
}

function projectOf(environment: string) {
  try {
    const queries = readCatalog();
    return { queries, ...parsePolicy(currentPolicy(environment), environment, queries) };
  } catch (cause) {
    throw new Stop(operatorText(cause), 2);
  }
}

function action(text: string): string {
  if (/^query:[a-z0-9_-]+$/.test(text) || permissions.some((one) => one === text)) return text;
  throw new InvalidArgumentError(`It takes ${permissions.join(", ")} or query:NAME.`);
}
