import { join } from "node:path";
import { InvalidArgumentError } from "@commander-js/extra-typings";
import { allowed } from "../../src/config/permissions.ts";
import { Stop } from "../command/errors.ts";
import { developmentIssuer, developmentKeySet } from "../project/development-key.ts";
import type { FileToWrite } from "../project/write-together.ts";
import { hasGrant, isOtherAccounts } from "./grants.ts";
import { ask } from "./input.ts";
import type { FoundIssuer } from "./issuer.ts";
import { demandAudience, knownIssuer, lookUp, ownKey } from "./issuer.ts";
import type { Keys } from "./toml.ts";

/** Who may use the account: the issuer of their tokens, the claim that names them, and what they may do. */

/** The command's options about callers. */
export interface WhoOptions {
  issuer?: string | undefined;
  jwks?: string | undefined;
  audience?: string | undefined;
  claim?: Claim | undefined;
  allow?: string[] | undefined;
  developmentKey: boolean;
}

/** A claim that a token must have, and its value. */
export type Claim = readonly [name: string, value: string];

export interface Who {
  /** The table of a new issuer; undefined for one that the policy has. */
  issuer: Keys | undefined;
  /** The table of the grant; undefined for one that the policy has. */
  grant: Keys | undefined;
  /** The issuer for trying, which goes with its grants when another one comes; undefined if it stays, or is not there. */
  gone: string | undefined;
  files: FileToWrite[];
}

export interface WhoQuestion {
  options: WhoOptions;
  account: string;
  env: string;
  project: string;
  /** Those that the policy keeps. */
  issuers: readonly Keys[];
  grants: readonly Keys[];
  /** Whether to ask for what the options do not say. */
  asks: boolean;
}

const usualAudience = "tidegate";
const reading = ["query:*", "sql:read"];
const writing = ["query:*", "sql:read", "sql:write", "transaction"];

/** Reads the value of --claim. */
export function claim(text: string): Claim {
  const [, name = "", value = ""] = /^([^=\s]+)=(.+)$/.exec(text) ?? [];
  if (name !== "" && name !== "__proto__") return [name, value];
  throw new InvalidArgumentError("It takes the name and the value of a claim: role=reader.");
}

/** Reads the value of --allow. */
export function permissionList(text: string): string[] {
  const list = text.split(/[\s,]+/).filter((one) => one !== "");
  if (list.length > 0 && list.every((one) => allowed.form.test(one))) return list;
  throw new InvalidArgumentError(`It takes permissions with commas between. Each ${allowed.mistake}.`);
}

/**
 * @returns the issuer and the grant to write; undefined if neither the options nor the user say any
 * @throws Stop if the options do not fit together, or the issuer's keys cannot be had
 */
export async function chooseWho(question: WhoQuestion): Promise<Who | undefined> {
  const { options, account, grants, asks } = question;
  judge(options);
  const isSaid =
    options.developmentKey || [options.issuer, options.claim, options.allow].some((one) => one !== undefined);
  const isGranted = grants.some((grant) => grant.account === account);
  if (!isSaid && (!asks || isGranted)) return undefined;
  const found = isSaid ? await saidIssuer(question) : await askIssuer(question);
  if (found === undefined) return undefined;
  if (found.said !== undefined) console.error(found.said);
  const issuer = String(found.table.issuer);
  const isKnown = (name: string) => question.issuers.some((one) => one.issuer === name);
  const gone = issuer !== developmentIssuer && isKnown(developmentIssuer) ? developmentIssuer : undefined;
  const published = { path: join(question.project, developmentKeySet(question.env)), text: undefined };
  return {
    issuer: isKnown(issuer) ? undefined : found.table,
    grant: await chooseGrant(question, issuer),
    gone,
    files: gone === undefined ? found.files : [...found.files, published],
  };
}

/** @returns the grant to write; undefined for one that the policy has */
async function chooseGrant(question: WhoQuestion, issuer: string): Promise<Keys | undefined> {
  const { options, account, grants, env } = question;
  const isNamed = options.claim !== undefined || options.allow !== undefined;
  const own = grants.some((grant) => grant.issuer === issuer && grant.account === account);
  if (own && !isNamed) return undefined;
  // For trying, the usual answers do.
  const asks = question.asks && !options.developmentKey;
  const usual: Claim = ["role", account];
  const isTaken = isOtherAccounts(grants, { issuer, claims: Object.fromEntries([usual]), account });
  const asksClaim = asks || (question.asks && isTaken);
  const [name, value] = options.claim ?? (asksClaim ? await askClaim(usual) : usual);
  const allow = options.allow ?? (asks ? await askAllow() : reading);
  const grant = { issuer, claims: { [name]: value }, account, allow };
  return hasGrant(grants, grant, env) ? undefined : grant;
}

function judge({ issuer, jwks, audience, developmentKey }: WhoOptions): void {
  if (developmentKey && (issuer !== undefined || jwks !== undefined))
    throw new Stop("--development-key is instead of --issuer and --jwks: leave one out.");
  if (issuer === undefined && (jwks !== undefined || (audience !== undefined && !developmentKey)))
    throw new Stop("--jwks and --audience go with --issuer URL.");
}

async function saidIssuer(question: WhoQuestion): Promise<FoundIssuer> {
  const { options, env, project, issuers } = question;
  const { issuer, jwks, audience, developmentKey } = options;
  if (developmentKey) return await tryingIssuer(question);
  const there = issuers.find((one) => one.issuer === issuer);
  if (issuer !== undefined && there === undefined)
    return await lookUp({ issuer, jwks, audience: audience ?? usualAudience, env, project, issuers });
  const table = there ?? (issuers.length === 1 ? issuers[0] : undefined);
  if (table === undefined)
    throw new Stop("Whose tokens? Give --issuer URL, or --development-key for trying.");
  return knownIssuer(table, { jwks, audience, env, project, issuers });
}

/** The audience of the project's own tokens stays, if the policy has them. */
async function tryingIssuer({ options, env, project, issuers }: WhoQuestion): Promise<FoundIssuer> {
  const { audience } = options;
  const there = issuers.find((one) => one.issuer === developmentIssuer);
  if (there) demandAudience(there, { audience, env });
  const former = typeof there?.audience === "string" ? there.audience : undefined;
  return await ownKey({ audience: former ?? audience ?? usualAudience, env, project });
}

async function askIssuer(question: WhoQuestion): Promise<FoundIssuer | undefined> {
  const { env, project, issuers } = question;
  console.error(`
Who may use it? Callers show a token (a JWT) that an issuer has signed.
  1  an issuer with an https address (Keycloak, Auth0, Entra, Cognito ..)
  2  an issuer whose public keys are in a file (a JWK set)
  3  none yet: a key of this project signs tokens for trying
  4  I write it into tidegate.toml myself`);
  const first = issuers.find((one) => one.issuer !== developmentIssuer);
  const usual = String(first?.issuer ?? "");
  for (;;) {
    const choice = await ask("Which? [3] ");
    if (choice === "" || choice === "3") return await tryingIssuer(question);
    if (choice === "4") return undefined;
    if (choice !== "1" && choice !== "2") continue;
    const issuer =
      (await ask(usual === "" ? "The issuer (iss of its tokens): " : `The issuer [${usual}]: `)) || usual;
    const table = issuers.find((one) => one.issuer === issuer);
    if (table) return { table, files: [], said: undefined };
    if (issuer === "") continue;
    const jwks = choice === "2" ? await ask("The file with its keys: ") : undefined;
    const audience = (await ask(`The audience (aud of its tokens) [${usualAudience}]: `)) || usualAudience;
    try {
      return await lookUp({ issuer, jwks, audience, env, project, issuers });
    } catch (cause) {
      if (!(cause instanceof Stop)) throw cause;
      console.error(cause.message);
    }
  }
}

async function askClaim(usual: Claim): Promise<Claim> {
  for (;;) {
    const answer = await ask(`Which claim of a token names these callers? [${usual.join("=")}] `);
    if (answer === "") return usual;
    try {
      return claim(answer);
    } catch (cause) {
      console.error((cause as Error).message);
    }
  }
}

async function askAllow(): Promise<string[]> {
  console.error(`What may they do?
  1  read: saved queries, and SELECT
  2  read and write: also INSERT, UPDATE, DELETE, CALL and transactions`);
  for (;;) {
    const choice = await ask("Which? [1] ");
    if (choice === "" || choice === "1") return reading;
    if (choice === "2") return writing;
  }
}
