import { deepStrictEqual } from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { get, type IncomingMessage, request } from "node:http";
import { join, relative } from "node:path";
import { readScriptOptions } from "../../cli/command/declare.ts";
import { packageRoot } from "../../cli/project/paths.ts";
import { launch } from "../../servers/child.ts";
import { mint } from "../../servers/issuer/issuer.ts";
import { freePort } from "../../servers/network.ts";
import type { Backends } from "../lib/backends.ts";
import { audience, benchDirectory, policyFor, startBackends } from "../lib/backends.ts";
import { bundleGateway } from "../lib/bundle.ts";
import { cpuTimes, otherCores, usedMs } from "../lib/cpu.ts";
import { median, rounded } from "../lib/figures.ts";
import { runBench, stopAtEnd } from "../lib/lifecycle.ts";
import { machine, machineLine, versionsOf } from "../lib/machine.ts";
import { declareBench } from "../lib/options.ts";
import { directoryOf, startGateway } from "../lib/variants.ts";
import type { Served } from "../lib/workerd.ts";
import { serving } from "../lib/workerd.ts";
import type { StreamNodeOptions } from "./node-server.ts";
import type { Reading, Way } from "./report.ts";
import { formatStreams, summarizeStreams, ways } from "./report.ts";

const options = await readScriptOptions(
  declareBench(
    "bench:stream",
    "A large result through the gateway on workerd, in each format, against mysql2 streaming in plain Node from the same server (docs/explanation/performance.md), and what memory workerd takes for it.",
  ),
);
const schedule = options.quick ? { rounds: 2, rows: 100_000 } : { rounds: 5, rows: 1_000_000 };

/** The server makes the rows from the sample's cities while it sends them. */
const results = {
  "1 column": "SELECT REPEAT('x', 100) AS x FROM cities a, cities b",
  "8 columns": `SELECT a.id, a.name, b.country_code, b.population, a.id * 0.25 AS quarter, b.id / 7e0 AS seventh,
      TIMESTAMP'2026-01-01 00:00:00' + INTERVAL a.id SECOND AS at, NULL AS nothing
    FROM cities a, cities b`,
};

const accepts = { ndjson: "application/x-ndjson", json: "application/json", csv: "text/csv" };

/** The source of a way's answers. */
interface Source {
  served: Served;
  open(sql: string): Promise<IncomingMessage>;
}

async function startSources(backends: Backends): Promise<Record<Way, Source>> {
  const gateway = await startStreamingGateway(backends);
  const node = await startNode(backends);
  const token = await mint(backends.keys.ES256, {
    iss: backends.issuer.url,
    aud: audience,
    sub: "bench",
    role: "streamer",
  });
  const ofGateway = (accept: string): Source => ({
    served: gateway,
    open: (sql) =>
      new Promise((resolve, reject) => {
        const headers = { authorization: `Bearer ${token}`, accept, "content-type": "application/json" };
        const sent = request(`${gateway.url}/v1/sql`, { method: "POST", headers, agent: false }, resolve);
        sent.on("error", reject);
        sent.end(JSON.stringify({ sql }));
      }),
  });
  const ofNode = (path: string): Source => ({
    served: node,
    open: (sql) =>
      new Promise((resolve, reject) => {
        const url = `${node.url}${path}?${new URLSearchParams({ sql })}`;
        get(url, { agent: false }, resolve).on("error", reject);
      }),
  });
  return {
    ndjson: ofGateway(accepts.ndjson),
    json: ofGateway(accepts.json),
    csv: ofGateway(accepts.csv),
    mysql2: ofNode("/ndjson"),
    mysql2Rows: ofNode("/rows"),
  };
}

async function startStreamingGateway(backends: Backends): Promise<Served> {
  const policy = policyFor(backends);
  const grant = { issuer: backends.issuer.url, account: "analyst", allow: ["sql:read"] };
  const grants = [
    { ...grant, claims: { role: "streamer" }, deadline_ms: 60_000 },
    ...(policy.grants as object[]),
  ];
  const bundle = await bundleGateway(directoryOf("stream"), { ...policy, grants });
  return await startGateway("stream", bundle, backends);
}

async function startNode({ server, sample, passwords }: Backends): Promise<Served> {
  const port = await freePort();
  const { host, port: databasePort, caPath, tls } = server;
  const options: StreamNodeOptions = {
    port,
    server: { host, port: databasePort, caPath, tls },
    user: sample.analyst.user,
    password: passwords.analyst,
    database: sample.database,
  };
  const directory = directoryOf("stream-node");
  const optionsPath = join(directory, "options.json");
  writeFileSync(optionsPath, JSON.stringify(options), { mode: 0o600 });
  const logPath = join(directory, "node.log");
  const command = [process.execPath, join(packageRoot, "bench", "stream", "node-server.ts"), optionsPath];
  return await serving(await launch({ command, environment: process.env, logPath }), port, logPath);
}

/** @throws Error if the answer is not complete */
async function text({ open }: Source, sql: string): Promise<string> {
  const answer = await open(sql);
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks).toString();
  if (answer.statusCode !== 200) throw new Error(`answered ${answer.statusCode}: ${body}`);
  return body;
}

/**
 * The gateway's lines begin with the columns and end with the summary; the lines between must equal
 * mysql2's.
 */
async function expectSameLines(sources: Record<Way, Source>, sql: string): Promise<void> {
  const few = `${sql} LIMIT 1000`;
  const lines = (await text(sources.ndjson, few)).split("\n");
  deepStrictEqual(lines.slice(1, -2), (await text(sources.mysql2, few)).split("\n").slice(0, -1));
  deepStrictEqual(await text(sources.mysql2Rows, few), "1000\n");
}

/** Only counts bytes, because the reader shares the machine with the senders. */
async function read(way: Way, { served, open }: Source, sql: string, rows: number): Promise<Reading> {
  const before = cpuTimes([served.pid]);
  const answer = await open(`${sql} LIMIT ${rows}`);
  let bytes = 0;
  answer.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
  });
  await new Promise((resolve, reject) => answer.once("end", resolve).once("error", reject));
  const after = cpuTimes([served.pid]);
  others.push(otherCores(before, after));
  if (answer.statusCode !== 200 || !answer.complete) throw new Error(`${way}: status ${answer.statusCode}`);
  const [cpuMs = NaN] = usedMs(before, after);
  return { way, rows, bytes, seconds: (after.atMs - before.atMs) / 1000, cpuMs };
}

/** Resident memory, or its maximum until now; NaN without /proc. */
function residentMiB({ pid }: Served, what: "VmRSS" | "VmHWM"): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    return Number(new RegExp(`${what}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
  } catch {
    return NaN;
  }
}

/** CPU time of other processes than the answering one; the database and the reader are among them. */
const others: number[] = [];

async function measure(sources: Record<Way, Source>, label: string, sql: string) {
  const readings: Reading[] = [];
  await expectSameLines(sources, sql);
  for (let round = 0; round < schedule.rounds; round++) {
    for (let i = 0; i < ways.length; i++) {
      const way = ways[(round + i) % ways.length] as Way;
      readings.push(await read(way, sources[way], sql, schedule.rows));
    }
  }
  for (const way of ways) {
    const sizes = new Set(readings.filter((reading) => reading.way === way).map(({ bytes }) => bytes));
    if (sizes.size !== 1) throw new Error(`${label}, ${way}: answers of ${[...sizes].join(", ")} bytes`);
  }
  return summarizeStreams(label, readings);
}

await runBench(async () => {
  const machineBefore = machine();
  const backends = stopAtEnd(await startBackends(console.error));
  const sources = await startSources(backends);
  for (const { served } of [sources.ndjson, sources.mysql2]) stopAtEnd(served);
  const gateway = sources.ndjson.served;
  const memory = [residentMiB(gateway, "VmRSS")];
  // The first answers of a process do not belong to the rounds.
  for (const way of ways) {
    await read(way, sources[way], results["1 column"], schedule.rows);
    if (way === "ndjson") memory.push(residentMiB(gateway, "VmHWM"));
  }
  const reports = [];
  for (const [label, sql] of Object.entries(results)) reports.push(await measure(sources, label, sql));
  memory.push(residentMiB(gateway, "VmHWM"));
  const memoryMiB = memory.map((mib) => rounded(mib, 0));
  const versions = versionsOf(backends.server);
  const latest = join(benchDirectory, "stream.json");
  const result = { quick: options.quick, machine: machineBefore, versions, schedule, memoryMiB, reports };
  writeFileSync(latest, `${JSON.stringify(result, null, 2)}\n`);
  const [before, first, last] = memoryMiB;
  console.log(
    [
      machineLine(versions, machineBefore, null),
      `beside the answering process ${rounded(median(others), 2)} cores were used: by the database, the reader, and others`,
      ...reports.flatMap(formatStreams),
      "",
      `workerd's memory: ${before} MiB, at the most ${first} with the first answer, ${last} with all of them`,
      `\nAs JSON: ${relative(packageRoot, latest)}`,
    ].join("\n"),
  );
});
