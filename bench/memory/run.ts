import { closeSync, fstatSync, openSync, readSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { Option } from "@commander-js/extra-typings";
import { readScriptOptions, wholeNumber } from "../../cli/command/declare.ts";
import { packageRoot } from "../../cli/project/paths.ts";
import { engines } from "../../servers/database/engines.ts";
import { mint } from "../../servers/issuer/issuer.ts";
import type { Backends } from "../lib/backends.ts";
import { audience, benchDirectory, policyFor, startBackends } from "../lib/backends.ts";
import { bundleGateway, bundleWorker } from "../lib/bundle.ts";
import { agent, ask } from "../lib/http-client.ts";
import { runBench, stopAtEnd } from "../lib/lifecycle.ts";
import { machine, machineLine, versionsOf } from "../lib/machine.ts";
import { memoryOf } from "../lib/memory.ts";
import { declareBench } from "../lib/options.ts";
import { countrySql, directoryOf, startGateway } from "../lib/variants.ts";
import type { Served } from "../lib/workerd.ts";
import { startWorkerd } from "../lib/workerd.ts";
import type { HeapSample, MemoryReport, MemorySample } from "./report.ts";
import { bounds, formatMemory, heapAfterCollection, isFlat, summarizeMemory } from "./report.ts";

const options = await readScriptOptions(
  declareBench(
    "bench:memory",
    "Whether workerd's memory grows with the number of requests, of the gateway and of a bare Durable Object hop (docs/explanation/performance.md). Exit code 1: the gateway's does.",
  )
    .option("--requests <N>", "how many; without it 300000, with --quick 30000", wholeNumber(1, 100_000_000))
    .addOption(new Option("--engine <ENGINE>", "the database").choices(engines).default("mysql" as const)),
);
const total = options.requests ?? (options.quick ? 30_000 : 300_000);
const samples = 60;
const step = Math.ceil(total / samples);
const callers = 16;

/** Half of the requests ask for the first country. */
const countries = ["US", "DE", "FR", "NZ", "JP", "IN", "BR", "ZA", "EG", "KE"];
const paths = countries.map((code) => `/v1/queries/country?code=${code}`);
const pathOf = (request: number) => paths[request % 2 === 0 ? 0 : request % paths.length] as string;

/** Sends each request right after the previous answer, and reads the process's memory after each step. */
async function measure(
  label: string,
  served: Served,
  tokens: readonly string[],
  collect: () => Promise<HeapSample[]>,
): Promise<MemoryReport> {
  const bodies = new Map<string, string>();
  const resident: MemorySample[] = [];
  const heaps: HeapSample[] = [];
  const look = async (requests: number) => {
    resident.push(...memoryOf(served.pid, 0).map(({ bytes }) => ({ requests, residentBytes: bytes })));
    if (requests === step * (samples / 2) || requests === step * samples) {
      heaps.push(...(await collect()).map((heap) => ({ ...heap, requests })));
    }
    const mebibytes = ((resident.at(-1)?.residentBytes ?? NaN) / 2 ** 20).toFixed(1);
    console.error(`${label}: ${requests} requests, ${mebibytes} MiB`);
  };
  await look(0);
  for (let done = 0; done < step * samples; ) {
    let next = done;
    done += step;
    await Promise.all(
      tokens.map(async (token) => {
        while (next < done) {
          const path = pathOf(next++);
          const headers = { authorization: `Bearer ${token}` };
          const { status, body } = await ask({ url: served.url + path, headers });
          if (!bodies.has(path)) bodies.set(path, body);
          if (status !== 200 || body !== bodies.get(path)) throw new Error(`${path}: ${status} ${body}`);
        }
      }),
    );
    await look(done);
  }
  return summarizeMemory(label, resident, heaps);
}

async function measureGateway(backends: Backends): Promise<MemoryReport> {
  const bundle = await bundleGateway(directoryOf("memory"), policyFor(backends), { worker: "collected" });
  const v8Flags = ["--expose-gc", "--trace-gc"];
  const served = stopAtEnd(await startGateway("memory", bundle, backends, { v8Flags }));
  const claims = { iss: backends.issuer.url, aud: audience, role: "analyst" };
  const tokens = await Promise.all(
    Array.from({ length: callers }, (_, i) =>
      mint(backends.keys.ES256, { ...claims, sub: `memory-${i}` }, { expires: "1d" }),
    ),
  );
  const collect = async () => {
    await ask({ url: `${served.url}/collect`, headers: {} });
    // workerd closes connections that were idle for this time.
    agent.destroy();
    const heapBytes = heapAfterCollection(endOf(served.logPath));
    return heapBytes === undefined ? [] : [{ requests: 0, heapBytes }];
  };
  const report = await measure("gateway", served, tokens, collect);
  await served.stop();
  return report;
}

/** The log has a line for each request, so only its end is read. */
function endOf(path: string): string {
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(64 * 1024);
    const from = Math.max(0, fstatSync(file).size - bytes.length);
    return bytes.toString("latin1", 0, readSync(file, bytes, 0, bytes.length, from));
  } finally {
    closeSync(file);
  }
}

async function measureHop({ pki }: Backends): Promise<MemoryReport> {
  const directory = directoryOf("memory-hop");
  const served = stopAtEnd(
    await startWorkerd({
      directory,
      bundle: await bundleWorker(directory, "hop", { HOP: "Hop" }),
      ca: pki.ca,
      // The answer is as long as the gateway's.
      texts: { SQL: countrySql(), ANSWERS: JSON.stringify({ US: "x".repeat(1_200) }) },
      objects: { HOP: "Hop" },
    }),
  );
  const report = await measure("Durable Object hop only", served, Array(callers).fill("-"), async () => []);
  await served.stop();
  return report;
}

await runBench(async () => {
  const before = machine();
  const backends = stopAtEnd(await startBackends(console.error, 5_000, options.engine));
  const reports = [await measureGateway(backends), await measureHop(backends)];
  const versions = versionsOf(backends.server);
  const latest = join(benchDirectory, "memory.json");
  writeFileSync(latest, `${JSON.stringify({ machine: before, versions, bounds, reports }, null, 2)}\n`);
  console.log([machineLine(versions, before, null), ...reports.flatMap(formatMemory)].join("\n"));
  console.log(`\nAs JSON: ${relative(packageRoot, latest)}`);
  if (reports[0] && !isFlat(reports[0])) process.exitCode = 1;
});
