import { createHash } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Catalog, QueryFile, SavedQuery } from "../../src/catalog/parse.ts";
import { parseCatalog, readFiles } from "../../src/catalog/parse.ts";
import type { Application } from "../../src/config/config.ts";
import { longestDeadlineMs } from "../../src/config/deadlines.ts";
import { ConfigError, parsePolicy, secretNames } from "../../src/config/policy.ts";
import { readingAccounts, readingMistakes } from "../../src/config/reading.ts";
import { dialectOf } from "../../src/db/mysql/engines/dialect-of.ts";
import { readAuthorities } from "./authorities.ts";
import { demandImportable } from "./key-sets.ts";
import { readLock, withColumns } from "./lock.ts";
import type { OwnServer } from "./own-server.ts";
import { accountsOfOwn, knownGrants } from "./own-server.ts";
import { projectRoot } from "./paths.ts";
import { readPolicyFile } from "./project-file.ts";
import { readText } from "./read-text.ts";
import { viewerVersion, writeViewer } from "./viewer.ts";
import { writeWhole } from "./write-whole.ts";

/**
 * Facts that the committed development policy cannot contain: addresses of servers, and which logins are
 * proxy users.
 */
export interface RunningServers {
  engine: string;
  /** "host:port" */
  database: string;
  /** By account: the identity that it acts as; undefined for a plain login. */
  actsAs: Record<string, string | undefined>;
  /** The user's own server instead of the sample's. */
  own?: OwnServer;
  issuers: { issuer: string; [key: string]: unknown }[];
  /** Origins whose pages may read answers; default: none. */
  origins?: string[];
  /** The issuer where the documentation page logs in; default: there is no such page. */
  docsIssuer?: string;
}

/** @returns the development policy for servers that run here. It has every grant once for each issuer. */
export function policyForServers(servers: RunningServers) {
  const { engine, database, actsAs, own, issuers, origins, docsIssuer } = servers;
  const base = readPolicyFile("development") as Partial<DevelopmentPolicy>;
  const { accounts = {} } = base;
  const { grants } = grantsFor(servers, base);
  return {
    cluster: own?.cluster ?? sampleCluster(base, engine, database),
    accounts: own ? accountsOfOwn(accounts, own) : withIdentities(accounts, actsAs),
    issuers,
    grants: issuers.flatMap(({ issuer }) => grants.map((grant) => ({ ...grant, issuer }))),
    ...(origins === undefined ? {} : { cors: { origins } }),
    ...(docsIssuer === undefined ? {} : { docs: { ...base.docs, issuer: docsIssuer } }),
  };
}

/** @returns a sentence for each permission of the development policy that its servers leave out */
export function droppedPermissions(servers: RunningServers): string[] {
  return grantsFor(servers, readPolicyFile("development") as Partial<DevelopmentPolicy>).dropped;
}

interface DevelopmentPolicy {
  cluster: Record<string, unknown>;
  accounts: Record<string, Record<string, unknown>>;
  grants: Record<string, unknown>[];
  docs: Record<string, unknown>;
}

function grantsFor({ own }: RunningServers, { grants = [] }: Partial<DevelopmentPolicy>) {
  if (own === undefined) return { grants, dropped: [] };
  const { queries, broken } = readGoodQueries();
  return knownGrants(grants, queries, broken);
}

/** The sample is its own database, with a private CA. The server that the file names does not count. */
function sampleCluster({ cluster = {} }: Partial<DevelopmentPolicy>, engine: string, database: string) {
  const { connect_timeout_ms } = cluster;
  return {
    ...{ engine, hosts: [database], database: "world", link: "platform", trust: "runtime" },
    ...(connect_timeout_ms !== undefined && { connect_timeout_ms }),
  };
}

function withIdentities(
  accounts: DevelopmentPolicy["accounts"],
  actsAs: RunningServers["actsAs"],
): DevelopmentPolicy["accounts"] {
  return Object.fromEntries(
    Object.entries(accounts).map(([name, { acts_as: _, ...account }]) => {
      const identity = actsAs[name];
      return [name, identity === undefined ? account : { ...account, acts_as: identity }];
    }),
  );
}

/**
 * @returns the grants without transactions, which are impossible with one connection per account or through
 * Hyperdrive
 */
export function withoutTransactions(grants: readonly Record<string, unknown>[]): Record<string, unknown>[] {
  return grants.map((grant) => ({
    ...grant,
    allow: (grant.allow as string[]).filter((permission) => permission !== "transaction"),
  }));
}

/** @returns the files of queries/ */
export function readQueryFiles(): QueryFile[] {
  const directory = join(projectRoot(), "queries");
  // git keeps no empty folder.
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => name.endsWith(".sql"))
    .sort()
    .map((name) => ({ name, text: readText(join(directory, name)) }));
}

/** @returns all that can be read of queries/, and the mistakes */
export function readGoodQueries(): Catalog {
  return readFiles(readQueryFiles());
}

/**
 * @returns the saved queries of queries/, with their columns where queries.lock has them
 * @throws CatalogError that names every mistake, or Stop if queries.lock cannot be read
 */
export function readCatalog(): SavedQuery[] {
  const files = readQueryFiles();
  return withColumns(parseCatalog(files), files, readLock());
}

/**
 * Makes the module that the Worker bundles, from a policy, its CAs and the saved queries.
 * @param directory where the file `cluster.ca` is
 * @throws ConfigError or CatalogError that names every mistake
 */
export function makeApplication(
  environment: string,
  policy: Record<string, unknown>,
  directory = projectRoot(),
): Application {
  const queries = readCatalog();
  const parsed = parsePolicy(policy, environment, queries);
  const mistakes = readingMistakes(parsed, queries);
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  const { cluster, accounts, issuers } = parsed;
  demandImportable(issuers);
  const deadlines = Object.keys(accounts).map((name) => longestDeadlineMs(parsed, name));
  const authorities = authoritiesOf(cluster, directory);
  return {
    environment,
    generation: sha256({
      environment,
      cluster,
      authorities,
      accounts,
      reading: readingAccounts(parsed, queries),
      // On such an engine the deadlines are part of the resting state.
      ...(dialectOf(cluster).restsWithDeadline && { deadlines }),
    }),
    policy,
    authorities,
    queries,
    viewer: viewerVersion(),
  };
}

/** @returns the names of the secrets that an application needs */
export function secretsOf({ policy, environment, queries }: Application): string[] {
  return secretNames(parsePolicy(policy, environment, queries));
}

/** @returns the CAs that the policy names; undefined when it names none. @throws ConfigError */
export function authoritiesOf({ ca }: { ca?: string | undefined }, directory = projectRoot()) {
  return ca === undefined ? undefined : readAuthorities(directory, ca);
}

/**
 * Writes the module that src imports as "#application", and the files of the documentation page, which it names. A
 * reader never sees half of a file.
 * @param assets the folder of the page's files
 */
export function writeApplication(application: Application, path: string, assets: string): void {
  writeViewer(application.viewer, assets);
  writeWhole(path, JSON.stringify(application, null, 2));
}

function sha256(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex");
}
