/**
 * npm run accounts -- [--env NAME] [--ca FILE] [--administrator USER] [--strict]: logs in with each account as
 * the gateway does, prints who the server says it is and what it may do, and warns of what is too much.
 * 1: the gateway would refuse an account (with --strict also: there are warnings). 2: it could not be tried.
 */
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { longestDeadlineMs } from "../src/config/deadlines.ts";
import { ConfigError, parsePolicy } from "../src/config/policy.ts";
import { readingAccounts, readingMistakes } from "../src/config/reading.ts";
import type { Policy } from "../src/config/schema.ts";
import { TidegateError } from "../src/errors.ts";
import { inspect, openAdministrator } from "./accounts/inspect.ts";
import { useOf } from "./accounts/needs.ts";
import { format, loginOf, report } from "./accounts/report.ts";
import { findSecret } from "./accounts/secrets.ts";
import { readCatalog } from "./application.ts";
import { currentPolicy, readDevelopment } from "./development.ts";
import { nodeLink } from "./node-link.ts";

const { values } = parseArgs({
  options: {
    env: { type: "string", default: "development" },
    ca: { type: "string" },
    administrator: { type: "string" },
    strict: { type: "boolean", default: false },
  },
});

try {
  process.exitCode = await main();
} catch (cause) {
  const text =
    cause instanceof TidegateError ? `${cause.code}: ${cause.operator ?? cause.message}` : messageOf(cause);
  console.error(text);
  process.exitCode = 2;
}

async function main(): Promise<number> {
  const queries = readCatalog();
  const policy = parsePolicy(currentPolicy(values.env), values.env, new Set(queries.map(({ name }) => name)));
  const mistakes = readingMistakes(policy, queries);
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  const reading = readingAccounts(policy, queries);
  const { cluster } = policy;
  if (cluster.link === "hyperdrive") {
    throw new Error(
      "the logins go through Hyperdrive, which has the passwords: npx wrangler hyperdrive get ID",
    );
  }
  const running = values.env === "development" ? readDevelopment() : undefined;
  const caPath = values.ca ?? running?.database.ca;
  const link = nodeLink(caPath === undefined ? undefined : readFileSync(caPath, "utf8"));
  const administrator = await administratorOf(running?.database.administrator);
  const secrets = await secretsOf(policy);
  const admin = administrator && (await openAdministrator(link, cluster, administrator));
  let [refused, warnings] = [0, 0];
  for (const [name, { password, token, hyperdrive: _, ...settings }] of Object.entries(policy.accounts)) {
    const secret = secrets.get(password ?? token?.key ?? "") ?? "";
    const credential = token ? { token: { ...token, key: secret } } : { password: secret };
    const account = {
      ...settings,
      name,
      readsByPrivilege: reading.includes(name),
      longestDeadlineMs: longestDeadlineMs(policy, name),
      credential,
    };
    const inspection = await inspect(link, cluster, account);
    const login = inspection.seen && (await admin?.see(loginOf(inspection.seen)));
    const use = useOf(name, policy.grants, queries);
    const result = report({ account, cluster, use, inspection, login });
    console.log(`${format(result)}\n`);
    if (result.refused !== undefined) refused += 1;
    warnings += result.warnings.length;
  }
  admin?.close();
  console.log(`${Object.keys(policy.accounts).length} accounts, ${refused} refused, ${warnings} warnings`);
  return refused > 0 || (values.strict && warnings > 0) ? 1 : 0;
}

/** All before the first login: nobody likes to be asked in the middle. */
async function secretsOf({ accounts }: Policy): Promise<Map<string, string>> {
  const secrets = new Map<string, string>();
  for (const { password, token } of Object.values(accounts)) {
    const name = password ?? token?.key ?? "";
    if (!secrets.has(name)) secrets.set(name, await findSecret(name, values.env));
  }
  return secrets;
}

async function administratorOf(known: { user: string; password: string } | undefined) {
  const user = values.administrator;
  if (user === undefined || user === known?.user) return known;
  return { user, password: await findSecret("TIDEGATE_ADMIN_PASSWORD", values.env) };
}

function messageOf(cause: unknown): string {
  if (cause instanceof ConfigError) return cause.message;
  return cause instanceof Error ? cause.message : String(cause);
}
