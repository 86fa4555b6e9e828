import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "smol-toml";
import type { TokenCredential } from "../../src/config/config.ts";
import { Stop } from "../command/errors.ts";
import { clean } from "../node/connection-errors.ts";
import { projectFile } from "../project/paths.ts";
import { writeWhole } from "../project/write-whole.ts";
import type { Found } from "./check.ts";
import { ask, isTerminal } from "./input.ts";
import type { Edited } from "./policy.ts";
import { editPolicy } from "./policy.ts";
import type { ConnectionString } from "./strings/parse.ts";
import type { TokenOptions } from "./token.ts";
import { tokenTable } from "./token.ts";

/** Writes a tested connection into tidegate.toml, and prints the remaining steps. */

/** The command's options besides the connection string. */
export interface Options extends TokenOptions {
  env: string;
  ca?: string | undefined;
  database?: string | undefined;
  write: boolean;
  timeoutMs: number;
  /** The project's folder. */
  project: string;
}

/** The current policy of an environment. */
export interface PolicyFile {
  path: string;
  text: string;
  accounts: Record<string, Record<string, unknown>>;
  grants: NonNullable<PolicyParts["grants"]>;
}

/** @throws Stop if it is not TOML, or has a form that cannot be changed here */
export function readPolicy({ project, env, account }: Options): PolicyFile {
  const path = join(project, projectFile);
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  try {
    const { accounts = {}, grants = [] } = environmentOf(text, env);
    // Try the edit first, so that the user learns at once if the file cannot be changed.
    editPolicy(text, { env, cluster: { engine: "mysql" }, account, login: { user: "someone" } });
    return { path, text, accounts, grants };
  } catch (cause) {
    throw new Stop(`${path} cannot be changed: ${(cause as Error).message}`);
  }
}

/** The values to write. */
export interface Result {
  connection: ConnectionString;
  database: string;
  /** PEM; undefined for the public CAs */
  ca: string | undefined;
  /** The account's token; undefined if it logs in with a password. */
  token: TokenCredential | undefined;
  found: Found;
}

/** @returns the policy's text with the found values, and the name of the account's secret */
export function withResult(
  { env, account }: Pick<Options, "env" | "account">,
  { text, accounts }: Pick<PolicyFile, "text" | "accounts">,
  { connection, database, ca, token, found }: Result,
): Edited & { secret: string } {
  const [{ hostname, port }] = connection.hosts;
  const own = ca !== undefined;
  const before = accounts[account] ?? {};
  const known = token ? (before.token as { key?: unknown } | undefined)?.key : before.password;
  const suffix = token ? "TOKEN_KEY" : "PASSWORD";
  const secret =
    typeof known === "string" ? known : `${account.toUpperCase().replaceAll("-", "_")}_${suffix}`;
  const edited = editPolicy(text, {
    env,
    cluster: {
      engine: found.engine,
      hosts: [`${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`],
      database,
      link: own ? "rustls" : "platform",
      trust: own ? "bundle" : "public",
      ca: own ? `ca/${env}.pem` : undefined,
      tls_min: own ? connection.tlsMin : undefined,
      tls_max: own ? connection.tlsMax : undefined,
      tls_server_name: undefined,
    },
    account,
    login: {
      user: connection.user,
      password: token ? undefined : secret,
      token: token && tokenTable(secret, token),
      acts_as: found.proxied ? found.account : undefined,
      // The account's settings for a password mean nothing for a token.
      ...(token ? { plugin: undefined, cleartext: undefined } : {}),
    },
  });
  return { ...edited, secret };
}

/** Shows the changes, asks, writes, and prints the remaining steps. @throws Stop if the user refuses */
export async function writePolicy(options: Options, policy: PolicyFile, result: Result): Promise<void> {
  const { env, write, project } = options;
  const { path, text } = policy;
  const { ca } = result;
  const edited = withResult(options, policy, result);
  const caPath = join(project, "ca", `${env}.pem`);
  const newCa = ca !== undefined && !(existsSync(caPath) && readFileSync(caPath, "utf8") === ca);
  const changes = [...edited.summary, ...(newCa ? [`+ ca/${env}.pem`] : [])];
  if (changes.length === 0) console.log(`${path} says all of this already.`);
  else {
    console.log([`\n${path} changes:`, ...changes.map((one) => `  ${clean(one)}`)].join("\n"));
    if (!write) {
      const answer = isTerminal ? await ask("Write it? [y/N] ") : "";
      if (!/^y(?:es)?$/i.test(answer))
        throw new Stop(
          `Nothing was written.${isTerminal ? "" : " Add --write to write it without being asked."}`,
        );
    }
    if (newCa) writeWhole(caPath, ca);
    if (edited.text !== text) writeWhole(path, edited.text);
    console.log("Written.");
  }
  console.log(nextSteps(options, edited).join("\n"));
}

function nextSteps(
  { env, account, tokenKey }: Options,
  { text, secret }: Edited & { secret: string },
): string[] {
  const { issuers = [], grants = [], accounts = {} } = environmentOf(text, env);
  const others = Object.keys(accounts).filter((name) => name !== account);
  const isGranted = grants.some((grant) => grant.account === account);
  const steps = [
    tokenKey === undefined
      ? `put the password: npx wrangler secret put ${secret} --env ${env}`
      : `put the private key: npx wrangler secret put ${secret} --env ${env} < ${clean(tokenKey)}`,
    ...(others.length === 0
      ? []
      : [
          `see that the file's other accounts (${others.join(", ")}) are logins of this cluster, or remove them`,
        ]),
    ...(issuers.length > 0 ? [] : [`add [[env.${env}.issuers]]: whose tokens are accepted`]),
    ...(isGranted ? [] : [`add [[env.${env}.grants]] with account = "${account}": who may use it`]),
    `npm run check -- --env ${env}, then npm run deploy -- --env ${env}`,
  ];
  return [
    "\nNext:",
    ...steps.map((step, i) => `  ${i + 1}. ${step}`),
    "This login came from here, over Node's TLS, with the gateway's own driver. The link itself is tested by the deployed gateway: GET /readyz.",
  ];
}

interface PolicyParts {
  accounts?: Record<string, Record<string, unknown>>;
  issuers?: unknown[];
  grants?: { account?: unknown; allow?: unknown }[];
}

/** @returns the policy of an environment in the text of tidegate.toml; empty if it has none */
function environmentOf(text: string, env: string): PolicyParts {
  return (parse(text) as { env?: Record<string, PolicyParts> }).env?.[env] ?? {};
}
