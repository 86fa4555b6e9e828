import type { Application } from "../../src/config/config.ts";
import { ConfigError, parsePolicy } from "../../src/config/policy.ts";
import { readingAccounts, readingMistakes } from "../../src/config/reading.ts";
import { Stop } from "../command/errors.ts";
import {
  droppedPermissions,
  makeApplication,
  policyForServers,
  readCatalog,
} from "../project/application.ts";
import { readPolicyFile } from "../project/project-file.ts";
import type { Role } from "../project/roles.ts";
import { rolesOf } from "../project/roles.ts";
import { sampleAccounts } from "./database.ts";
import { audience } from "./issuer.ts";
import type { OwnDatabase } from "./own-database.ts";
import { serversOf } from "./own-database.ts";
import { orStop } from "./reload.ts";

/** Whether [env.development] can be served from a database, before anything is started. */

type Log = (line: string) => void;

/** @returns the callers that an application's grants tell apart */
export function rolesIn({ policy, environment, queries }: Application): Role[] {
  return rolesOf(parsePolicy(policy, environment, queries).grants);
}

/** @returns the roles of its grants. @throws Stop with every mistake in the project's files */
export function demandSamplePolicy(log: Log): Role[] {
  const application = orStop(() => makeApplication("development", readPolicyFile("development")));
  const { policy, environment, queries } = application;
  const { cluster, accounts, grants } = parsePolicy(policy, environment, queries);
  const others = Object.keys(accounts).filter((name) => !sampleAccounts.includes(name));
  if (others.length > 0)
    throw new Stop(
      `The sample database has the accounts ${sampleAccounts.join(" and ")}, and [env.development] has ${others.join(", ")} too: serve your own database with --database, or take them out.`,
    );
  const [host] = cluster.hosts;
  if (host !== undefined && !["127.0.0.1", "localhost"].includes(host.hostname))
    log(`the sample database serves, not ${host.hostname} of [env.development]: --database serves your own`);
  return rolesOf(grants);
}

/** As it stands in a policy before the issuer is started. */
const laterIssuer = {
  issuer: "http://127.0.0.1",
  audience,
  jwks_uri: "http://127.0.0.1/keys",
  algorithms: ["ES256"],
};

/**
 * Says which database serves, and what of the policy it leaves out.
 * @returns the roles of the grants
 * @throws Stop with every mistake in the project's files, or that the login may do too much
 */
export function demandOwnPolicy(own: OwnDatabase, log: Log): Role[] {
  const { name, engine, version, surplus, server } = own;
  log(
    `${name} serves as ${server.user} (${engine} ${version}), in place of the cluster and the logins of [env.development]; nothing is written into it`,
  );
  const servers = { ...serversOf(own), issuers: [laterIssuer] };
  const { policy, queries } = orStop(() => {
    const catalog = readCatalog();
    const parsed = parsePolicy(policyForServers(servers), "development", catalog);
    const mistakes = readingMistakes(parsed, catalog);
    if (mistakes.length > 0) throw new ConfigError(mistakes);
    return { policy: parsed, queries: catalog };
  });
  for (const line of droppedPermissions(servers)) log(line);
  const [reading] = readingAccounts(policy, queries);
  if (reading !== undefined && surplus !== undefined)
    throw new Stop(
      `The account ${reading} only reads, which TiDB does not enforce, and ${server.user} may do more: ${surplus}. Take it away, or use a login with SELECT alone.`,
    );
  return rolesOf(policy.grants);
}
