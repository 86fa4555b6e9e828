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
import { countryCodes, countryPath, prepareNotes, selectSeries, writeSeries } from "./points.ts";
import type { Series } from "./request.ts";
import { sendOnce } from "./request.ts";
import { expectRestores } from "./restores.ts";
import type { Served, ServedWorker, WorkerdOptions } from "./workerd.ts";
import { serving, startWorkerd } from "./workerd.ts";

/** What is compared; docs/performance.md says what each of them does. */
export const variantNames = [
  "gateway",
  "rustls",
  "write",
  "hop",
  "connect",
  "node",
  "nodeRestoring",
] as const;
export type VariantName = (typeof variantNames)[number];

/** One point select, for the benches that always ask for the same row. */
export const path = countryPath("US");

/** Its expected answers are what it answered when it was asked first. */
export type Variant = Target<VariantName>;

/** Servers; the gateway serves two variants, its select and its write. */
type ServedName = Exclude<VariantName, "write">;

/** Starts them all, and sees that they give the same answers. */
export async function startVariants(backends: Backends): Promise<Variant[]> {
  const rustlsPolicy = withRustls(directoryOf("rustls"), policyFor(backends), backends);
  const [gatewayBundle, rustlsBundle, hopBundle, connectBundle] = await Promise.all([
    bundleGateway(directoryOf("gateway"), policyFor(backends)),
    bundleGateway(directoryOf("rustls"), rustlsPolicy),
    bundleWorker(directoryOf("hop"), "hop", { HOP: "Hop" }),
    bundleWorker(directoryOf("connect"), "connect"),
  ]);
  const codes = await countryCodes(backends);
  const headers = headersOf(backends.tokens.analyst);
  const gateway = await startGateway("gateway", gatewayBundle, backends);
  const answers = await selectSeries(gateway.url, headers, codes);
  const served: Record<ServedName, Served> = {
    gateway,
    rustls: await startGateway("rustls", rustlsBundle, backends),
    hop: await startHop(hopBundle, backends, codes, answers),
    connect: await startConnect("connect", connectBundle, backends),
    node: await startNodeGateway("node", backends, false),
    nodeRestoring: await startNodeGateway("node-restoring", backends, true),
  };
  const variants: Variant[] = [];
  for (const name of variantNames) {
    if (name === "write") {
      await prepareNotes(backends);
      variants.push({
        name,
        served: gateway,
        headers: headersOf(backends.tokens.editor),
        requests: writeSeries(),
      });
      continue;
    }
    const { url } = served[name];
    const requests = await selectSeries(url, headers, codes);
    deepStrictEqual(parsed(requests), parsed(answers), `the answers of ${name} differ`);
    if (name === "node" || name === "nodeRestoring") {
      const ask = async () => await sendOnce(url, { path }, headers);
      await expectRestores(name, name === "nodeRestoring", backends, ask);
    }
    variants.push({ name, served: served[name], headers, requests });
  }
  return variants;
}

function parsed(series: Series): unknown[] {
  return series.map(({ expectedAnswer }) => JSON.parse(expectedAnswer as string));
}

async function startHop(
  bundle: Bundle,
  { pki }: Backends,
  codes: readonly string[],
  answers: Series,
): Promise<Served> {
  const byCode = Object.fromEntries(codes.map((code, i) => [code, answers[i]?.expectedAnswer]));
  return await startWorkerd({
    directory: directoryOf("hop"),
    bundle,
    ca: pki.ca,
    texts: { SQL: countrySql(), ANSWERS: JSON.stringify(byCode) },
    objects: { HOP: "Hop" },
  });
}

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

/** The gateway, as it is deployed. */
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

/** @param restores whether it restores sessions between callers */
async function startNodeGateway(name: string, backends: Backends, restores: boolean): Promise<Served> {
  const { server, sample, passwords, issuer } = backends;
  const port = await freePort();
  const { engine, host, port: databasePort, caPath, tls } = server;
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
    engine,
    restores,
  };
  const directory = directoryOf(name);
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

/** @returns the headers of every request, also of one with a body */
export function headersOf(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}`, "content-type": "application/json" };
}

/** The directory for all files of one server process. */
export function directoryOf(name: string): string {
  const directory = join(benchDirectory, name);
  mkdirSync(directory, { recursive: true });
  return directory;
}
