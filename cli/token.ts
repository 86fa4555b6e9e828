import { InvalidArgumentError } from "@commander-js/extra-typings";
import { SignJWT } from "jose";
import { mint, readSigningKey } from "../servers/issuer/issuer.ts";
import { parsePolicy } from "../src/config/policy.ts";
import type { OptionsOf } from "./command/declare.ts";
import { declare } from "./command/declare.ts";
import { operatorText, Stop } from "./command/errors.ts";
import { ownToken } from "./connect/own-token.ts";
import type { Claim } from "./connect/who.ts";
import { claim } from "./connect/who.ts";
import { readCatalog } from "./project/application.ts";
import { currentPolicy, readDevelopment } from "./project/development.ts";
import { environmentOption } from "./project/environment-option.ts";
import { typed } from "./project/paths.ts";
import type { Role } from "./project/roles.ts";
import { rolesOf, usualRole } from "./project/roles.ts";

export const declaration = declare(
  "token",
  "Prints a token of the development issuer, while npm start runs. With --env one that the project's own key signs (connect --development-key).",
)
  .addOption(environmentOption("an environment that accepts tokens of the project's own key"))
  .option(
    "--claim <NAME=VALUE>",
    "with --env: a claim of the token, as often as needed; without it those of the first grant",
    (text: string, before: Claim[]) => [...before, claim(text)],
    [] as Claim[],
  )
  .option(
    "--role <ROLE>",
    "without --env: the caller, by the claims of a grant of [env.development]; without it one that only reads",
  )
  .option("--sub <SUBJECT>", "the token's subject; without it the one that the grant names, or developer")
  .option("--expires <SPAN>", "how long it is valid, with a unit: 90s, 30m, 12h, 7d", span, "12h");

export async function run({
  env,
  claim,
  role,
  sub,
  expires,
}: OptionsOf<typeof declaration>): Promise<undefined> {
  if (env !== undefined) {
    if (role !== undefined)
      throw new Stop("--role is for the development issuer; with --env NAME give --claim NAME=VALUE.");
    console.log(await ownToken({ env, claims: claim, sub, expires }));
    return;
  }
  if (claim.length > 0) throw new Stop("--claim goes with --env NAME; the development issuer takes --role.");
  const development = readDevelopment();
  if (!development) throw new Stop(`Nothing is running: ${typed("start")} first, in another terminal.`);
  const key = await readSigningKey(development.signing_key);
  const { claims, subject } = choose(role);
  const { issuer: iss, audience: aud } = development;
  console.log(await mint(key, { ...claims, iss, aud, sub: sub ?? subject }, { expires }));
}

/** @throws Stop if the policy that is served has no such role, or cannot be read */
function choose(name: string | undefined): Role {
  const { policy, queries } = readServed();
  const roles = rolesOf(policy.grants);
  const usual = usualRole(policy, queries) ?? roles[0];
  const chosen = name === undefined ? usual : roles.find((role) => role.name === name);
  if (chosen) return chosen;
  const names = roles.map((role) => role.name).join(", ");
  throw new Stop(
    names === ""
      ? "No grant of [env.development] gives a caller access: add one first."
      : `No grant is for that role. There are: ${names}.`,
  );
}

function readServed() {
  try {
    const queries = readCatalog();
    return { queries, policy: parsePolicy(currentPolicy("development"), "development", queries) };
  } catch (cause) {
    throw new Stop(operatorText(cause));
  }
}

function span(text: string): string {
  try {
    new SignJWT().setExpirationTime(text);
    return text;
  } catch {
    throw new InvalidArgumentError("It takes a number with a unit: 90s, 30m, 12h or 7d.");
  }
}
