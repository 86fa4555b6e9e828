import { readScriptOptions } from "../../cli/command/declare.ts";
import { complain } from "../../cli/command/errors.ts";
import { databasePid, policyFor, startBackends } from "../lib/backends.ts";
import { bundleGateway } from "../lib/bundle.ts";
import { LoadGenerator } from "../lib/load.ts";
import type { Sample, Target } from "../lib/measure.ts";
import { measureAll } from "../lib/measure.ts";
import { declareBench } from "../lib/options.ts";
import { pairLines, pairRequests, pairSchedule, pairTarget } from "../lib/pair.ts";
import { directoryOf, startGateway } from "../lib/variants.ts";

const engines = ["mysql", "tidb"] as const;
type Measured = (typeof engines)[number];

type RequestName = keyof typeof pairRequests;
type Name = `${Measured}-${RequestName}`;

const options = await readScriptOptions(
  declareBench(
    "bench:engines",
    "The gateway before MySQL and before TiDB, on workerd itself (docs/performance.md). Each has a gateway of its own; both are asked in turn, so that the ratio is taken under the same conditions.",
  ),
);
const running: { stop(): unknown }[] = [];

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));

try {
  const targets: Target<Name>[] = [];
  for (const engine of engines) targets.push(...(await startTargets(engine)));
  const load = new LoadGenerator();
  running.push({ stop: () => load.stop() });
  const samples = await measureAll(targets, pairSchedule(options.quick), load, 0, console.error);
  const names = Object.keys(pairRequests) as RequestName[];
  console.log(names.flatMap((name) => format(name, samples)).join("\n"));
} catch (cause) {
  process.exitCode = complain(cause);
} finally {
  for (const { stop } of running.reverse()) await stop();
  process.exit();
}

async function startTargets(engine: Measured): Promise<Target<Name>[]> {
  const backends = await startBackends(console.error, 20_000, engine);
  running.push(backends);
  const name = `engine-${engine}`;
  const gateway = await startGateway(
    name,
    await bundleGateway(directoryOf(name), policyFor(backends)),
    backends,
  );
  running.push(gateway);
  return await Promise.all(
    (Object.keys(pairRequests) as RequestName[]).map(async (request) => {
      const name = `${engine}-${request}` as const;
      const target = await pairTarget(name, pairRequests[request], gateway, backends.tokens.analyst);
      return { ...target, databasePid: databasePid(backends) };
    }),
  );
}

function format(request: RequestName, samples: Sample<Name>[]): string[] {
  const of = (engine: Measured) => samples.filter(({ target }) => target === `${engine}-${request}`);
  return pairLines(
    pairRequests[request].label,
    [
      ["MySQL", of("mysql")],
      ["TiDB", of("tidb")],
    ],
    {
      requestsPerSecond: "requests/s",
      serverCpuUs: "the gateway's CPU",
      databaseCpuUs: "the database's CPU",
      p50Ms: "p50",
    },
  );
}
