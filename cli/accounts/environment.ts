import { readFileSync } from "node:fs";
import type { SavedQuery } from "../../src/catalog/parse.ts";
import type { Account } from "../../src/config/config.ts";
import { longestDeadlineMs } from "../../src/config/deadlines.ts";
import { ConfigError, parsePolicy } from "../../src/config/policy.ts";
import { readingAccounts, readingMistakes, writingAccounts } from "../../src/config/reading.ts";
import type { Policy } from "../../src/config/schema.ts";
import type { Link } from "../../src/db/links/link.ts";
import { operatorText } from "../command/errors.ts";
import { nodeLink } from "../node/node-link.ts";
import { authoritiesOf, readCatalog } from "../project/application.ts";
import type { Development } from "../project/development.ts";
import { currentPolicy, readDevelopment } from "../project/development.ts";
import { findSecret } from "./secrets.ts";

/** Everything that a script needs to log in from Node as the gateway does. */
export interface Environment {
  name: string;
  policy: Policy;
  queries: readonly SavedQuery[];
  link: Link;
  /** What `npm start` runs now, if it runs this environment. */
  running: Development | undefined;
}

/**
 * @param name for `development`, the policy as `npm start` runs it, if it runs
 * @param ca path of the CAs to trust; default: those of the running development, then those of the policy, then Node's
 * @throws ConfigError or CatalogError that names every mistake, or Error if no login is possible from here
 */
export function readEnvironment(name: string, ca: string | undefined): Environment {
  const queries = readCatalog();
  const policy = parsePolicy(currentPolicy(name), name, queries);
  const mistakes = readingMistakes(policy, queries);
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  return { name, policy, queries, ...readLink(name, policy, ca) };
}

/**
 * @param ca as of `readEnvironment`
 * @returns how to log in from here. @throws Error if no login is possible
 */
export function readLink(
  name: string,
  { cluster }: Pick<Policy, "cluster">,
  ca: string | undefined,
): Pick<Environment, "link" | "running"> {
  if (cluster.link === "hyperdrive") {
    throw new Error(
      "the logins go through Hyperdrive, which has the passwords: npx wrangler hyperdrive get ID",
    );
  }
  const running = name === "development" ? readDevelopment() : undefined;
  // The CA's file in the policy of a running start is not one of the project.
  const caPath = ca ?? running?.database.ca ?? undefined;
  if (caPath !== undefined) return { link: nodeLink(readAuthorityFile(caPath)), running };
  const authorities = running ? undefined : authoritiesOf(cluster);
  return { link: nodeLink(authorities?.map(({ pem }) => pem).join("\n")), running };
}

function readAuthorityFile(path: string): string {
  try {
    const text = readFileSync(path, "utf8");
    if (text.includes("-----BEGIN CERTIFICATE-----")) return text;
  } catch (cause) {
    throw new Error(`the CA file ${path}: ${operatorText(cause)}`);
  }
  throw new Error(`the CA file ${path} has no certificate in PEM (BEGIN CERTIFICATE)`);
}

/**
 * Resolves the secrets of accounts. It resolves all of them before the first login, so that no question
 * interrupts the logins.
 * @param isWanted by the account's name; default: all
 * @param secretOf by the secret's name; default: where a command finds it
 * @throws Error that names a missing secret
 */
export async function accountsOf(
  { name: environment, policy, queries }: Pick<Environment, "name" | "policy" | "queries">,
  isWanted: (name: string) => boolean = () => true,
  secretOf = (name: string): Promise<string> => findSecret(name, environment),
): Promise<Account[]> {
  const reading = readingAccounts(policy, queries);
  const writing = writingAccounts(policy.grants, queries);
  const secrets = new Map<string, string>();
  const accounts: Account[] = [];
  for (const [name, { password, token, hyperdrive: _, ...settings }] of Object.entries(policy.accounts)) {
    if (!isWanted(name)) continue;
    const key = password ?? token?.key ?? "";
    const secret = secrets.get(key) ?? (await secretOf(key));
    secrets.set(key, secret);
    accounts.push({
      ...settings,
      name,
      readsByPrivilege: reading.includes(name),
      writes: writing.has(name),
      longestDeadlineMs: longestDeadlineMs(policy, name),
      credential: token ? { token: { ...token, key: secret } } : { password: secret },
    });
  }
  return accounts;
}
