/**
 * npm run accounts -- [--env NAME] [--ca FILE] [--administrator USER] [--strict]: logs in with each account as
 * the gateway does, prints who the server says it is and what it may do, and warns of what is too much.
 * 1: the gateway would refuse an account (with --strict also: there are warnings). 2: it could not be tried.
 */
import { parseArgs } from "node:util";
import { accountsOf, operatorText, readEnvironment } from "./accounts/environment.ts";
import { inspect, openAdministrator } from "./accounts/inspect.ts";
import { useOf } from "./accounts/needs.ts";
import { format, loginOf, report } from "./accounts/report.ts";
import { findSecret } from "./accounts/secrets.ts";

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
  console.error(operatorText(cause));
  process.exitCode = 2;
}

async function main(): Promise<number> {
  const environment = readEnvironment(values.env, values.ca);
  const { policy, queries, link, running } = environment;
  const { cluster } = policy;
  const administrator = await administratorOf(running?.database.administrator);
  const accounts = await accountsOf(environment);
  const admin = administrator && (await openAdministrator(link, cluster, administrator));
  let [refused, warnings] = [0, 0];
  for (const account of accounts) {
    const inspection = await inspect(link, cluster, account);
    const login = inspection.seen && (await admin?.see(loginOf(inspection.seen)));
    const use = useOf(account.name, policy.grants, queries);
    const result = report({ account, cluster, use, inspection, login });
    console.log(`${format(result)}\n`);
    if (result.refused !== undefined) refused += 1;
    warnings += result.warnings.length;
  }
  admin?.close();
  console.log(`${accounts.length} accounts, ${refused} refused, ${warnings} warnings`);
  return refused > 0 || (values.strict && warnings > 0) ? 1 : 0;
}

async function administratorOf(known: { user: string; password: string } | undefined) {
  const user = values.administrator;
  if (user === undefined || user === known?.user) return known;
  return { user, password: await findSecret("TIDEGATE_ADMIN_PASSWORD", values.env) };
}
