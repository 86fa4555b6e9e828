import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { authoritiesOf, readCatalog } from "../../cli/project/application.ts";
import { durableObjects } from "../../cli/project/environment.ts";
import type { Account } from "../../src/config/config.ts";
import { longestDeadlineMs } from "../../src/config/deadlines.ts";
import { parsePolicy } from "../../src/config/policy.ts";
import type { Cluster } from "../../src/config/schema.ts";
import type { Backends } from "./backends.ts";
import { benchDirectory, policyFor } from "./backends.ts";
import type { Bundle } from "./bundle.ts";
import { countryPath } from "./points.ts";
import type { Served, ServedWorker, WorkerdOptions } from "./workerd.ts";
import { startWorkerd } from "./workerd.ts";

/** One point select, for the benches that always ask for the same row. */
export const path = countryPath("US");

/**
 * @param directory of the bundle; the CA's file is put there
 * @returns the policy, with the link rustls
 */
export function withRustls(
  directory: string,
  policy: Record<string, unknown>,
  { pki }: Backends,
): Record<string, unknown> {
  mkdirSync(join(directory, "ca"), { recursive: true });
  writeFileSync(join(directory, "ca", "bench.pem"), pki.ca);
  const cluster = { ...(policy.cluster as object), link: "rustls", trust: "bundle", ca: "ca/bench.pem" };
  return { ...policy, cluster };
}

/** The deployed gateway. */
export async function startGateway(
  name: string,
  bundle: Bundle,
  { pki, passwords }: Backends,
  options: Pick<WorkerdOptions, "isolates" | "keepState" | "v8Flags"> = {},
): Promise<ServedWorker> {
  const texts = {
    ENVIRONMENT: "development",
    ANALYST_PASSWORD: passwords.analyst,
    EDITOR_PASSWORD: passwords.editor,
  };
  return await startWorkerd({
    directory: directoryOf(name),
    bundle,
    ca: pki.ca,
    texts,
    objects: durableObjects,
    ...options,
  });
}

/**
 * A connection per request. @param policy the policy with the cluster; a CA file is in the variant's
 * directory
 */
export async function startConnect(
  name: string,
  bundle: Bundle,
  backends: Backends,
  policy = policyFor(backends),
): Promise<Served> {
  const { cluster, account } = analystOf(policy, backends);
  const texts = {
    CLUSTER: JSON.stringify(cluster),
    AUTHORITIES: JSON.stringify(authoritiesOf(cluster, directoryOf(name)) ?? []),
    ACCOUNT: JSON.stringify(account),
    SQL: countrySql(),
  };
  return await startWorkerd({ directory: directoryOf(name), bundle, ca: backends.pki.ca, texts });
}

/** @returns the parameters of the analyst's session */
export function analystOf(
  policy: Record<string, unknown>,
  { passwords }: Backends,
): { cluster: Cluster; account: Account } {
  const parsed = parsePolicy(policy, "development", readCatalog());
  const { cluster } = parsed;
  const { analyst } = parsed.accounts;
  if (!analyst) throw new Error("the policy has no account analyst");
  return {
    cluster,
    account: {
      ...analyst,
      name: "analyst",
      readsByPrivilege: false,
      writes: false,
      longestDeadlineMs: longestDeadlineMs(parsed, "analyst"),
      credential: { password: passwords.analyst },
    },
  };
}

/** With one placeholder: the country's code. */
export function countrySql(): string {
  const query = readCatalog().find(({ name }) => name === "country");
  if (!query) throw new Error("queries/country.sql is missing");
  return query.sql;
}

export function headersOf(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` };
}

/** The directory for all files of one server process. */
export function directoryOf(name: string): string {
  const directory = join(benchDirectory, name);
  mkdirSync(directory, { recursive: true });
  return directory;
}
