/**
 * npm run bench:engines [-- --quick]: the gateway before MySQL and before TiDB, on workerd itself (docs/performance.md).
 * Each has a gateway of its own; both are asked in turn, so that the ratio is taken under the same conditions.
 */
import { parseArgs } from "node:util";
import { ServerUnavailableError } from "../test/servers/server.ts";
import { databasePid, policyFor, startBackends } from "./backends.ts";
import { bundleGateway } from "./bundle.ts";
import { ratioLine, ratioOf, table } from "./figures.ts";
import { LoadGenerator } from "./load.ts";
import type { Sample, Schedule, Target } from "./measure.ts";
import { measureAll } from "./measure.ts";
import { aboveColumns, cells, columns, targetReport } from "./summary.ts";
import { directoryOf, path, startGateway } from "./variants.ts";

const engines = ["mysql", "tidb"] as const;
type Engine = (typeof engines)[number];

/** All answers are ASCII: autocannon may cut a character in two. */
const requests = {
  select: { path, rows: 1, label: "point select" },
  rows: { path: "/v1/queries/cities-by-country?country=US&limit=500", rows: 500, label: "500 rows" },
} as const;
type RequestName = keyof typeof requests;
type Name = `${Engine}-${RequestName}`;

const { values: flags } = parseArgs({ options: { quick: { type: "boolean", default: false } } });
const schedule: Schedule = flags.quick
  ? { connections: [16], rounds: 2, roundSeconds: 1, warmUpSeconds: 0.5 }
  : { connections: [16], rounds: 10, roundSeconds: 2, warmUpSeconds: 2 };
const running: { stop(): unknown }[] = [];

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));

try {
  const targets: Target<Name>[] = [];
  for (const engine of engines) targets.push(...(await startTargets(engine)));
  const load = new LoadGenerator();
  running.push({ stop: () => load.stop() });
  const samples = await measureAll(targets, schedule, load, 0, console.error);
  const names = Object.keys(requests) as RequestName[];
  console.log(names.flatMap((name) => format(name, samples)).join("\n"));
} catch (cause) {
  console.error(cause instanceof ServerUnavailableError ? cause.message : cause);
  process.exitCode = 1;
} finally {
  for (const { stop } of running.reverse()) await stop();
  process.exit();
}

async function startTargets(engine: Engine): Promise<Target<Name>[]> {
  const backends = await startBackends(console.error, 20_000, engine);
  running.push(backends);
  const name = `engine-${engine}`;
  const gateway = await startGateway(
    name,
    await bundleGateway(directoryOf(name), policyFor(backends)),
    backends,
  );
  running.push(gateway);
  const headers = { authorization: `Bearer ${backends.tokens.analyst}` };
  return await Promise.all(
    (Object.keys(requests) as RequestName[]).map(async (request) => {
      const { path, rows } = requests[request];
      const url = gateway.url + path;
      const response = await fetch(url, { headers });
      const body = await response.text();
      if (response.status !== 200 || JSON.parse(body).rows.length !== rows) {
        throw new Error(`${engine}, ${path} answered ${response.status}: ${body.slice(0, 500)}`);
      }
      const pid = databasePid(backends);
      return { name: `${engine}-${request}` as const, served: gateway, url, headers, body, databasePid: pid };
    }),
  );
}

function format(request: RequestName, samples: Sample<Name>[]): string[] {
  const of = (engine: Engine) => samples.filter(({ target }) => target === `${engine}-${request}`);
  const ratio = (key: "requestsPerSecond" | "serverCpuUs" | "databaseCpuUs" | "p50Ms") =>
    ratioOf(
      of("tidb").map((sample) => sample[key]),
      of("mysql").map((sample) => sample[key]),
    );
  return [
    "",
    aboveColumns,
    ...table([
      [requests[request].label, ...columns],
      ...engines.map((engine) => [engine, ...cells(targetReport(of(engine)))]),
    ]),
    ratioLine("TiDB / MySQL, requests/s", ratio("requestsPerSecond")),
    ratioLine("TiDB / MySQL, the gateway's CPU", ratio("serverCpuUs")),
    ratioLine("TiDB / MySQL, the database's CPU", ratio("databaseCpuUs")),
    ratioLine("TiDB / MySQL, p50", ratio("p50Ms")),
  ];
}
