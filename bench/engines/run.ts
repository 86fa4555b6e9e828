import { readScriptOptions } from "../../cli/command/declare.ts";
import { databasePid, policyFor, startBackends } from "../lib/backends.ts";
import { bundleGateway } from "../lib/bundle.ts";
import { runBench, stopAtEnd } from "../lib/lifecycle.ts";
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
    "The gateway before MySQL and before TiDB, on workerd itself (docs/explanation/performance.md). Each has a gateway of its own; both are asked in turn, so that the ratio is taken under the same conditions.",
  ),
);
await runBench(async () => {
  const targets: Target<Name>[] = [];
  for (const engine of engines) targets.push(...(await startTargets(engine)));
  const load = stopAtEnd(new LoadGenerator());
  const samples = await measureAll(targets, pairSchedule(options.quick), load, 0, console.error);
  const names = Object.keys(pairRequests) as RequestName[];
  console.log(names.flatMap((name) => format(name, samples)).join("\n"));
});

async function startTargets(engine: Measured): Promise<Target<Name>[]> {
  const backends = stopAtEnd(await startBackends(console.error, 20_000, engine));
  const name = `engine-${engine}`;
  const gateway = stopAtEnd(
    await startGateway(name, await bundleGateway(directoryOf(name), policyFor(backends)), backends),
  );
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
