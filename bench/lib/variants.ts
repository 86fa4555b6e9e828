import { deepStrictEqual } from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { authoritiesOf, readCatalog } from "../../cli/project/application.ts";
import { durableObjects } from "../../cli/project/environment.ts";
import { packageRoot } from "../../cli/project/paths.ts";
import { launch } from "../../servers/child.ts";
import { freePort } from "../../servers/network.ts";
import type { Account } from "../../src/config/config.ts";
import { longestDeadlineMs } from "../../src/config/deadlines.ts";
import { parsePolicy } from "../../src/config/policy.ts";
import type { Cluster } from "../../src/config/schema.ts";
import { limits } from "../../src/limits.ts";
import type { Backends } from "./backends.ts";
import { audience, benchDirectory, policyFor } from "./backends.ts";
import type { Bundle } from "./bundle.ts";
import { bundleGateway, bundleWorker } from "./bundle.ts";
import type { Target } from "./measure.ts";
import type { NodeGatewayOptions } from "./node-gateway.ts";
import { sendOnce } from "./request.ts";
import type { Served, ServedWorker, WorkerdOptions } from "./workerd.ts";
import { serving, startWorkerd } from "./workerd.ts";

/** The variants that are compared; docs/performance.md describes each one. */
export const variantNames = ["gateway", "hop", "connect", "node"] as const;
export type VariantName = (typeof variantNames)[number];

/** A point select by primary key. Its answer is ASCII, because autocannon may split a character. */
export const path = "/v1/queries/country?code=US";

/** Its expected answer is what it answered when it was asked first. */
export type Variant = Target<VariantName>;

/** Starts the four variants, and checks that they give the same answer. */
export async function startVariants(backends: Backends): Promise<Variant[]> {
  const [gatewayBundle, hopBundle, connectBundle] = await Promise.all([
    bundleGateway(directoryOf("gateway"), policyFor(backends)),
    bundleWorker(directoryOf("hop"), "hop", { HOP: "Hop" }),
    bundleWorker(directoryOf("connect"), "connect"),
  ]);
  const gateway = await startGateway("gateway", gatewayBundle, backends);
  const headers = headersOf(backends);
  const answer = await sendOnce(gateway.url, { path }, headers);
  const served: Record<VariantName, Served> = {
    gateway,
    hop: await startWorkerd({
      directory: directoryOf("hop"),
      bundle: hopBundle,
      ca: backends.pki.ca,
      texts: { SQL: countrySql(), ANSWER: answer },
      objects: { HOP: "Hop" },
    }),
    connect: await startConnect("connect", connectBundle, backends),
    node: await startNodeGateway(backends),
  };
  const variants: Variant[] = [];
  for (const name of variantNames) {
    const expectedAnswer = await sendOnce(served[name].url, { path }, headers);
    deepStrictEqual(JSON.parse(expectedAnswer), JSON.parse(answer), `the answer of ${name} differs`);
    variants.push({ name, served: served[name], headers, requests: [{ path, expectedAnswer }] });
  }
  return variants;
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
  const queryNames = new Set(readCatalog().map((query) => query.name));
  const parsed = parsePolicy(policy, "development", queryNames);
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

async function startNodeGateway({ server, sample, passwords, issuer }: Backends): Promise<Served> {
  const port = await freePort();
  const { host, port: databasePort, caPath, tls } = server;
  const options: NodeGatewayOptions = {
    port,
    server: { host, port: databasePort, caPath, tls },
    user: sample.analyst.user,
    password: passwords.analyst,
    database: sample.database,
    connections: limits.connectionsPerShard,
    issuer: issuer.url,
    audience,
    jwksUri: issuer.jwksUri,
    sql: countrySql(),
  };
  const directory = directoryOf("node");
  const optionsPath = join(directory, "options.json");
  writeFileSync(optionsPath, JSON.stringify(options), { mode: 0o600 });
  const logPath = join(directory, "node.log");
  const command = [process.execPath, join(packageRoot, "bench", "lib", "node-gateway.ts"), optionsPath];
  return await serving(await launch({ command, environment: process.env, logPath }), port, logPath);
}

/** With one placeholder: the country's code. */
export function countrySql(): string {
  const query = readCatalog().find(({ name }) => name === "country");
  if (!query) throw new Error("queries/country.sql is missing");
  return query.sql;
}

function headersOf({ tokens }: Backends): Record<string, string> {
  return { authorization: `Bearer ${tokens.analyst}` };
}

/** The directory for all files of one server process. */
export function directoryOf(name: string): string {
  const directory = join(benchDirectory, name);
  mkdirSync(directory, { recursive: true });
  return directory;
}
