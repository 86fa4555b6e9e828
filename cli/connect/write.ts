import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { Stop } from "../command/errors.ts";
import { systemErrorText } from "../command/system-errors.ts";
import { clean } from "../node/connection-errors.ts";
import { devVarsFile, readDevVars, withDevVar } from "../project/dev-vars.ts";
import { developmentIssuer } from "../project/development-key.ts";
import { projectFile, typed } from "../project/paths.ts";
import { readEnvironments } from "../project/project-file.ts";
import { readText } from "../project/read-text.ts";
import type { FileToWrite } from "../project/write-together.ts";
import { writeTogether } from "../project/write-together.ts";
import { ask, isTerminal } from "./input.ts";
import type { PolicyParts, Result, Target } from "./policy.ts";
import { partsOf, withResult } from "./policy.ts";

/** Writes a tested connection into the project, and prints the remaining steps. */

export interface WriteOptions extends Target {
  write: boolean;
  /** The project's folder. */
  project: string;
}

/** tidegate.toml as it is. */
export interface PolicyFile extends PolicyParts {
  path: string;
  text: string;
}

/** @throws as `readText`; Stop if the file is not TOML of this format, or has a form that cannot be changed here */
export function readPolicy({ project, env, account }: WriteOptions): PolicyFile {
  readEnvironments(project);
  const path = join(project, projectFile);
  const text = contentOf(path) ?? "";
  try {
    const parts = partsOf(text, env);
    // Try the edit first, so that the user learns at once if the file cannot be changed.
    withResult({ env, account }, text, trial);
    return { path, text, ...parts };
  } catch (cause) {
    const [reason] = (cause as Error).message.split("\n");
    throw new Stop(`${path} cannot be changed: ${clean(reason)}.`);
  }
}

const trial = {
  connection: { hosts: [{ hostname: "h", port: 1 }], user: "someone" },
  database: "trial",
  ca: undefined,
  token: undefined,
  found: { engine: "mysql", proxied: false },
  who: {
    issuer: { issuer: "trial" },
    grant: { account: "trial" },
    gone: developmentIssuer,
    files: [],
  },
} as unknown as Result;

/**
 * Shows the changes, asks, writes all files or none, and prints the remaining steps.
 * @param secret the account's password or private key, which has just been used for a login
 * @throws Stop if the user refuses, or a file cannot be written
 */
export async function writePolicy(
  options: WriteOptions,
  { path, text }: PolicyFile,
  result: Result & { secret: string },
): Promise<void> {
  const { env, write, project } = options;
  const edited = withResult(options, text, result);
  const files: FileToWrite[] = [
    ...(result.ca === undefined ? [] : [{ path: join(project, "ca", `${env}.pem`), text: result.ca }]),
    ...(result.who?.files ?? []),
  ].filter((file) => contentOf(file.path) !== file.text);
  const nameOf = ({ path }: FileToWrite) => relative(project, path);
  const changes = [
    ...edited.summary,
    ...files.map((file) => `${file.text === undefined ? "-" : "+"} ${nameOf(file)}`),
  ];
  if (changes.length === 0) console.log(`${path} says all of this already.`);
  else {
    console.log([`\n${path} changes:`, ...changes.map((one) => `  ${clean(one)}`)].join("\n"));
    if (!write && !/^y(?:es)?$/i.test(isTerminal ? await ask("Write it? [y/N] ") : ""))
      throw new Stop(
        `Nothing was written.${isTerminal ? "" : " Add --write to write it without being asked."}`,
      );
  }
  const kept = await keptSecret(options, edited.secret, result);
  if (kept) files.push(kept);
  // What a policy names is there before it, and after the former one.
  const removed = files.filter((file) => file.text === undefined);
  const written = files.filter((file) => file.text !== undefined);
  if (edited.text !== text) written.push({ path, text: edited.text });
  try {
    writeTogether([...written, ...removed]);
  } catch (cause) {
    throw new Stop(`${systemErrorText(cause) ?? (cause as Error).message}\nNothing was written.`);
  }
  if (written.length > 0) console.log(`Written: ${written.map(nameOf).join(", ")}.`);
  if (removed.length > 0) console.log(`Removed: ${removed.map(nameOf).join(", ")}.`);
  if (kept) warnOfGit(kept.path);
  const isKept = readDevVars(env, project)[edited.secret] === result.secret;
  console.log(nextSteps(options, partsOf(edited.text, env), isKept ? undefined : edited.secret).join("\n"));
}

/** @returns .dev.vars.NAME with the secret in it; undefined if it has it, or the user does not want it there */
async function keptSecret(
  { env, write, project }: WriteOptions,
  name: string,
  { secret, token }: Result & { secret: string },
): Promise<FileToWrite | undefined> {
  const path = devVarsFile(env, project);
  if (readDevVars(env, project)[name] === secret) return undefined;
  if (!write) {
    if (!isTerminal) return undefined;
    const what = token ? "private key" : "password";
    const answer = await ask(
      `Keep the ${what} as ${name} in ${relative(project, path)}, for this machine alone? [Y/n] `,
    );
    if (!/^(?:|y|yes)$/i.test(answer)) return undefined;
  }
  const edited = withDevVar(contentOf(path) ?? "", name, secret);
  if ("text" in edited) return { path, text: edited.text, mode: 0o600 };
  const file = relative(project, path);
  console.error(
    edited.refusal === "value"
      ? `Note: no line of ${file} can hold this secret, which has a line break or all quotation marks: set the variable ${name} instead.`
      : `Note: ${file} stays as it is, because a new ${name} would change what its other names mean; look for a quotation mark that does not end. Correct it, or set the variable ${name} instead.`,
  );
  return undefined;
}

/** git's own answer counts: 1 for a file that it would take. */
function warnOfGit(path: string): void {
  const { status } = spawnSync("git", ["check-ignore", "--quiet", path], {
    cwd: join(path, ".."),
    stdio: "ignore",
  });
  if (status === 1)
    console.error(
      `Note: git does not ignore ${path}, which holds a secret: write .dev.vars* into .gitignore.`,
    );
}

/** @throws as `readText` */
function contentOf(path: string): string | undefined {
  return existsSync(path) ? readText(path) : undefined;
}

/** @param missing the name of the account's secret, if the project does not have it */
function nextSteps(
  { env, account }: WriteOptions,
  { accounts, issuers, grants }: PolicyParts,
  missing: string | undefined,
): string[] {
  const others = Object.keys(accounts).filter((name) => name !== account);
  const isGranted = grants.some((grant) => grant.account === account);
  const hasOwnKey = issuers.some(({ issuer }) => issuer === developmentIssuer);
  const command = (name: string, options = "") => typed(name, `--env ${env}${options}`);
  const steps = [
    ...(missing === undefined
      ? []
      : [
          `set the variable ${missing}, or write ${missing}=.. into .dev.vars.${env}: the commands below need it`,
        ]),
    ...(isGranted
      ? []
      : [`say who may use it: this command again with --issuer URL, or with --development-key for trying`]),
    ...(others.length === 0
      ? []
      : [`see that the other accounts (${others.join(", ")}) are logins of this cluster, or remove them`]),
    `${command("check", " --database")}    what is wrong, and queries.lock`,
    `${command("serve")}    the gateway on this machine`,
    ...(hasOwnKey
      ? [`${command("token")}    a token for trying`]
      : [`${command("deploy")}    the gateway on Cloudflare`]),
  ];
  return ["\nNext:", ...steps.map((step, i) => `  ${i + 1}. ${step}`)];
}
