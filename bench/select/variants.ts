import { deepStrictEqual } from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../cli/project/paths.ts";
import { launch } from "../../servers/child.ts";
import { freePort } from "../../servers/network.ts";
import { limits } from "../../src/limits.ts";
import type { Backends } from "../lib/backends.ts";
import { audience, policyFor } from "../lib/backends.ts";
import type { Bundle } from "../lib/bundle.ts";
import { bundleGateway, bundleWorker } from "../lib/bundle.ts";
import type { Target } from "../lib/measure.ts";
import type { NodeGatewayOptions } from "../lib/node-gateway.ts";
import { countryCodes, prepareNotes, selectSeries, writeSeries } from "../lib/points.ts";
import type { Series } from "../lib/request.ts";
import { sendOnce } from "../lib/request.ts";
import { expectNoRestore, expectRestoreEach } from "../lib/restores.ts";
import { startToolbox, toolboxSeries } from "../lib/toolbox.ts";
import {
  countrySql,
  directoryOf,
  headersOf,
  path,
  startConnect,
  startGateway,
  withRustls,
} from "../lib/variants.ts";
import type { Served } from "../lib/workerd.ts";
import { serving, startWorkerd } from "../lib/workerd.ts";

/** What is compared; bench/README.md says what each of them does. */
export const variantNames = [
  "gateway",
  "rustls",
  "write",
  "hop",
  "connect",
  "node",
  "nodeRestoring",
  "toolbox",
] as const;
export type VariantName = (typeof variantNames)[number];

/** Its expected answers are what it answered when it was asked first. */
export type Variant = Target<VariantName>;

/** Servers; the gateway serves two variants, its select and its write. */
type ServedName = Exclude<VariantName, "write" | "toolbox">;

/**
 * Starts them all, and sees that they give the same answers.
 * @param peers whether the toolbox is one of them
 */
export async function startVariants(
  backends: Backends,
  peers: boolean,
  log: (line: string) => void,
): Promise<Variant[]> {
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
  for (const [name, server] of Object.entries(served) as [ServedName, Served][]) {
    const requests = await selectSeries(server.url, headers, codes);
    deepStrictEqual(parsed(requests), parsed(answers), `the answers of ${name} differ`);
    if (name === "node" || name === "nodeRestoring") {
      const ask = async () => await sendOnce(server.url, { path }, headers);
      const expectRestores = name === "nodeRestoring" ? expectRestoreEach : expectNoRestore;
      await expectRestores(name, backends, ask);
    }
    variants.push({ name, served: server, headers, requests });
  }
  await prepareNotes(backends);
  const editor = headersOf(backends.tokens.editor);
  variants.push({ name: "write", served: gateway, headers: editor, requests: writeSeries() });
  if (peers) {
    const toolbox = await startToolbox(directoryOf("toolbox"), backends, countrySql(), log);
    // It gets no token: it would not look at one.
    const requests = await toolboxSeries(toolbox.url, codes);
    variants.push({ name: "toolbox", served: toolbox, headers: {}, requests });
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
