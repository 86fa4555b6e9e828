import { readScriptOptions } from "../../cli/command/declare.ts";
import type { Backends } from "../lib/backends.ts";
import { databasePid, policyFor, startBackends } from "../lib/backends.ts";
import { bundleGateway, bundleWorker } from "../lib/bundle.ts";
import { runBench, stopAtEnd } from "../lib/lifecycle.ts";
import { LoadGenerator } from "../lib/load.ts";
import type { Sample, Target } from "../lib/measure.ts";
import { measureAll } from "../lib/measure.ts";
import { declareBench } from "../lib/options.ts";
import { pairLines, pairRequests, pairSchedule, pairTarget } from "../lib/pair.ts";
import { directoryOf, path, startConnect, startGateway, withRustls } from "../lib/variants.ts";
import type { Served } from "../lib/workerd.ts";

const links = ["platform", "rustls"] as const;
type Link = (typeof links)[number];

const requests = {
  ...pairRequests,
  connect: { path, rows: 1, label: "connection per request" },
} as const;
type RequestName = keyof typeof requests;
type Name = `${Link}-${RequestName}`;

const options = await readScriptOptions(
  declareBench(
    "bench:links",
    "The link rustls against the link platform, on workerd itself (docs/explanation/performance.md). A connection per request shows what a handshake costs.",
  ),
);
await runBench(async () => {
  const backends = stopAtEnd(await startBackends(console.error, 20_000));
  const targets: Target<Name>[] = [];
  for (const link of links) targets.push(...(await startTargets(link, backends)));
  const load = stopAtEnd(new LoadGenerator());
  const samples = await measureAll(
    targets,
    pairSchedule(options.quick),
    load,
    databasePid(backends),
    console.error,
  );
  console.log(
    Object.keys(requests)
      .flatMap((name) => format(name as RequestName, samples))
      .join("\n"),
  );
});

/** A gateway with this link, and a Worker with this link that connects for each request. */
async function startTargets(link: Link, backends: Backends): Promise<Target<Name>[]> {
  const names = { gateway: `link-${link}`, connect: `link-${link}-connect` };
  const policyIn = (directory: string) =>
    link === "rustls" ? withRustls(directory, policyFor(backends), backends) : policyFor(backends);
  const gatewayBundle = await bundleGateway(directoryOf(names.gateway), policyIn(directoryOf(names.gateway)));
  const gateway = stopAtEnd(await startGateway(names.gateway, gatewayBundle, backends));
  const connectBundle = await bundleWorker(directoryOf(names.connect), "connect");
  const policy = policyIn(directoryOf(names.connect));
  const connect = stopAtEnd(await startConnect(names.connect, connectBundle, backends, policy));
  const served: Record<RequestName, Served> = { select: gateway, rows: gateway, connect };
  const all = Object.keys(requests) as RequestName[];
  return await Promise.all(
    all.map((request) =>
      pairTarget(`${link}-${request}` as const, requests[request], served[request], backends.tokens.analyst),
    ),
  );
}

function format(request: RequestName, samples: Sample<Name>[]): string[] {
  const of = (link: Link) => samples.filter(({ target }) => target === `${link}-${request}`);
  return pairLines(
    requests[request].label,
    [
      ["platform", of("platform")],
      ["rustls", of("rustls")],
    ],
    { requestsPerSecond: "requests/s", serverCpuUs: "CPU", p50Ms: "p50" },
  );
}
