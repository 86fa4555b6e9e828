import { InvalidArgumentError } from "@commander-js/extra-typings";
import { allowed } from "../../src/config/permissions.ts";
import { Stop } from "../command/errors.ts";
import { developmentIssuer } from "../project/development-key.ts";
import type { FileToWrite } from "../project/write-together.ts";
import { ask } from "./input.ts";
import type { FoundIssuer } from "./issuer.ts";
import { lookUp, ownKey } from "./issuer.ts";
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

const reading = ["query:*", "sql:read"];
const writing = ["query:*", "sql:read", "sql:write", "transaction"];
const usualClaim: Claim = ["role", "reader"];

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
  if ("said" in found) console.error(found.said);
  const issuer = String(found.table.issuer);
  const [name, value] = options.claim ?? (asks ? await askClaim() : usualClaim);
  const allow = options.allow ?? (asks ? await askAllow() : reading);
  const isNew = !question.issuers.some((one) => one.issuer === issuer);
  const grant = { issuer, claims: { [name]: value }, account, allow };
  return {
    issuer: isNew ? found.table : undefined,
    grant: hasGrant(grants, grant) ? undefined : grant,
    files: found.files,
  };
}

/** @throws Stop if these callers may do something else already: the first of two such grants would decide */
function hasGrant(grants: readonly Keys[], { issuer, claims, account, allow }: Keys): boolean {
  const same = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);
  const known = grants.find(
    (grant) => grant.issuer === issuer && same(grant.claims, claims) && grant.account === account,
  );
  if (known !== undefined && !same(known.allow, allow))
    throw new Stop(
      "A grant gives these callers other permissions already: change its allow in tidegate.toml.",
    );
  return known !== undefined;
}

function judge({ issuer, jwks, audience, developmentKey }: WhoOptions): void {
  if (developmentKey && (issuer !== undefined || jwks !== undefined))
    throw new Stop("--development-key is instead of --issuer and --jwks: leave one out.");
  if (issuer === undefined && (jwks !== undefined || (audience !== undefined && !developmentKey)))
    throw new Stop("--jwks and --audience go with --issuer URL.");
}

type Chosen = FoundIssuer | { table: Keys; files: FileToWrite[] };

async function saidIssuer({ options, env, project, issuers }: WhoQuestion): Promise<Chosen> {
  const { issuer, jwks, audience = "tidegate", developmentKey } = options;
  if (developmentKey) return await ownKey({ audience: audienceOf(issuers) ?? audience, env, project });
  const known = issuers.find((one) => one.issuer === issuer);
  if (issuer !== undefined && known === undefined)
    return await lookUp({ issuer, jwks, audience, env, project });
  const table = known ?? (issuers.length === 1 ? issuers[0] : undefined);
  if (table === undefined)
    throw new Stop("Whose tokens? Give --issuer URL, or --development-key for trying.");
  return { table, files: [] };
}

/** The audience of the project's own tokens stays, if the policy has them. */
function audienceOf(issuers: readonly Keys[]): string | undefined {
  const { audience } = issuers.find((one) => one.issuer === developmentIssuer) ?? {};
  return typeof audience === "string" ? audience : undefined;
}

async function askIssuer(question: WhoQuestion): Promise<Chosen | undefined> {
  const { env, project, issuers } = question;
  console.error(`
Who may use it? Callers show a token (a JWT) that an issuer has signed.
  1  an issuer with an https address (Keycloak, Auth0, Entra, Cognito ..)
  2  an issuer whose public keys are in a file (a JWK set)
  3  none yet: a key of this project signs tokens for trying
  4  I write it into tidegate.toml myself`);
  const [first] = issuers;
  const usual = String(first?.issuer ?? "");
  for (;;) {
    const choice = await ask("Which? [3] ");
    if (choice === "" || choice === "3")
      return await ownKey({ audience: audienceOf(issuers) ?? "tidegate", env, project });
    if (choice === "4") return undefined;
    if (choice !== "1" && choice !== "2") continue;
    const issuer =
      (await ask(usual === "" ? "The issuer (iss of its tokens): " : `The issuer [${usual}]: `)) || usual;
    const table = issuers.find((one) => one.issuer === issuer);
    if (table) return { table, files: [] };
    if (issuer === "") continue;
    const jwks = choice === "2" ? await ask("The file with its keys: ") : undefined;
    const audience = (await ask("The audience (aud of its tokens) [tidegate]: ")) || "tidegate";
    try {
      return await lookUp({ issuer, jwks, audience, env, project });
    } catch (cause) {
      if (!(cause instanceof Stop)) throw cause;
      console.error(cause.message);
    }
  }
}

async function askClaim(): Promise<Claim> {
  for (;;) {
    const answer = await ask(`Which claim of a token names these callers? [${usualClaim.join("=")}] `);
    if (answer === "") return usualClaim;
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
