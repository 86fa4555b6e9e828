/**
 * npm run explain -- --token TOKEN [--action sql:read] [--account NAME] [--env development]: which grant
 * decides for a token, and why the others do not. The token is read, not verified: this asks what the policy
 * says, not whether the token is good.
 */
import { parseArgs } from "node:util";
import type { Action } from "../src/auth/grants.ts";
import { explain } from "../src/auth/grants.ts";
import { readToken } from "../src/auth/parse-jwt.ts";
import { permissions } from "../src/config/permissions.ts";
import { parsePolicy } from "../src/config/policy.ts";
import { currentPolicy } from "./dev/development.ts";
import { readCatalog } from "./project/application.ts";

const { values } = parseArgs({
  options: {
    token: { type: "string" },
    action: { type: "string", default: "sql:read" },
    account: { type: "string" },
    env: { type: "string", default: "development" },
  },
});
const isAction =
  /^query:[a-z0-9_-]+$/.test(values.action) || permissions.some((one) => one === values.action);
if (values.token === undefined || !isAction) {
  console.error(
    `npm run explain -- --token TOKEN [--action ${permissions.join("|")}|query:NAME] [--account NAME] [--env NAME]`,
  );
  process.exit(2);
}

const names = new Set(readCatalog().map(({ name }) => name));
const policy = parsePolicy(currentPolicy(values.env), values.env, names);
const { claims } = readToken(values.token);
const caller = { issuer: String(claims.iss), subject: claims.sub as string | undefined, claims };
const { verdicts, decisive, account, refusal } = explain(
  policy.grants,
  caller,
  values.action as Action,
  values.account,
);

for (const [i, { grant, mismatch }] of verdicts.entries()) {
  const mark = grant === decisive ? "→" : " ";
  console.log(`${mark} grants[${i}] ${grant.account} (${grant.allow.join(", ")}): ${mismatch ?? "matches"}`);
}
console.log(
  account === undefined
    ? `${values.action}: denied. ${refusal}`
    : `${values.action}: ${["operate", "metrics"].includes(values.action) ? "on every account" : `as ${account}`}`,
);
if (account === undefined) process.exitCode = 1;
