import type { ErrorCode } from "../src/errors.ts";
import { accountsOf, readEnvironment } from "./accounts/environment.ts";
import { inspect, openAdministrator } from "./accounts/inspect.ts";
import { useOf } from "./accounts/needs.ts";
import { format, loginOf, report } from "./accounts/report.ts";
import { findSecret } from "./accounts/secrets.ts";
import type { OptionsOf } from "./command/declare.ts";
import { declare } from "./command/declare.ts";
import { operatorText, Stop } from "./command/errors.ts";
import { environmentOption } from "./project/environment-option.ts";

export const declaration = declare(
  "accounts",
  "Logs in with each account as the gateway does, prints who the server says it is and what it may do, and warns of what is too much, and of what a grant opens and the account cannot do. Exit code 1: the gateway would refuse an account; 2: it could not be tried.",
)
  .addOption(environmentOption("the environment whose accounts they are").default("development"))
  .option("--ca <FILE>", "PEM of the CAs to trust; without it those of the policy, of npm start, or Node's")
  .option(
    "--administrator <USER>",
    "a login that may see the accounts' grants; TIDEGATE_ADMIN_PASSWORD has its password",
  )
  .option("--strict", "exit code 1 also where there are warnings", false);

/** Of these errors no account is the reason. */
const unreached: readonly ErrorCode[] = ["database_unreachable", "database_tls_failed"];

type Options = OptionsOf<typeof declaration>;

export async function run(options: Options): Promise<number> {
  try {
    return await inspectAll(options);
  } catch (cause) {
    throw cause instanceof Stop ? cause : new Stop(operatorText(cause), 2);
  }
}

async function inspectAll({ env, ca, administrator: user, strict }: Options): Promise<number> {
  const environment = readEnvironment(env, ca);
  const { policy, queries, link, running } = environment;
  const { cluster } = policy;
  const known = running?.database.administrator ?? undefined;
  const administrator =
    user === undefined || user === known?.user
      ? known
      : { user, password: await findSecret("TIDEGATE_ADMIN_PASSWORD", env) };
  const accounts = await accountsOf(environment);
  const admin = administrator && (await openAdministrator(link, cluster, administrator));
  let [refused, warnings] = [0, 0];
  for (const account of accounts) {
    const inspection = await inspect(link, cluster, account);
    // The other accounts would fail alike: they have the same server.
    if (inspection.refused && unreached.includes(inspection.refused.code))
      throw new Stop(`${account.name}: ${operatorText(inspection.refused)}`);
    const login = inspection.seen && (await admin?.see(loginOf(inspection.seen)));
    const use = useOf(account.name, policy.grants, queries);
    const result = report({ account, cluster, use, queries, inspection, login });
    console.log(`${format(result)}\n`);
    if (result.refused !== undefined) refused += 1;
    warnings += result.warnings.length;
  }
  admin?.close();
  console.log(`${accounts.length} accounts, ${refused} refused, ${warnings} warnings`);
  return refused > 0 || (strict && warnings > 0) ? 1 : 0;
}
