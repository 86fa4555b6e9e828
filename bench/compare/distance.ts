import type { Backends } from "../lib/backends.ts";
import { databasePid, policyFor } from "../lib/backends.ts";
import { bundleGateway } from "../lib/bundle.ts";
import { startDistance } from "../lib/distance.ts";
import { median } from "../lib/figures.ts";
import { stopAtEnd } from "../lib/lifecycle.ts";
import type { LoadGenerator } from "../lib/load.ts";
import type { Sample, Schedule, Target } from "../lib/measure.ts";
import { measureAll } from "../lib/measure.ts";
import { mixedSeries, ofKind, writeSeries } from "../lib/points.ts";
import type { Series } from "../lib/request.ts";
import { sendOnce } from "../lib/request.ts";
import { directoryOf, headersOf, startGateway } from "../lib/variants.ts";
import type { Served } from "../lib/workerd.ts";
import type { Build } from "./builds.ts";
import { builds } from "./builds.ts";
import type { DistanceName, DistanceSamples } from "./distance-report.ts";
import { roundTripMs } from "./distance-report.ts";

interface FarBuild {
  /** Callers who ask again at once. */
  select: Target<DistanceName>;
  crowded: Target<DistanceName>;
  /** Without its rate. */
  calm: Target<DistanceName>;
}

/**
 * Measures two builds of the gateway in the same rounds, with the database at a distance. Each has a proxy of its
 * own. All requests are those of an account that may read and write, on one shard. The rows of the writes exist.
 * @param roots of the builds; undefined is this checkout
 * @param selects of each build, with its own answers
 */
export async function measureAtDistance(
  roots: Record<Build, string | undefined>,
  selects: Record<Build, Series>,
  backends: Backends,
  schedule: Schedule,
  load: LoadGenerator,
  started: (served: Served) => void,
  log: (line: string) => void,
): Promise<DistanceSamples> {
  const start = (build: Build) => startFar(build, roots[build], selects[build], backends, started);
  const far = { base: await start("base"), new: await start("new") };
  const targets = builds.map((build) => far[build]);
  const measure = async (inTurn: Target<DistanceName>[]) =>
    await measureAll(inTurn, schedule, load, databasePid(backends), log);
  log(`the database ${roundTripMs} ms away`);
  const saturated = [...targets.map(({ select }) => select), ...targets.map(({ crowded }) => crowded)];
  const samples = await measure(saturated);
  const perSecond = halfOf(samples.filter(({ target }) => target === "base-crowded"));
  log(`${perSecond} requests/s, half of what the base served`);
  samples.push(...(await measure(targets.map(({ calm }) => ({ ...calm, perSecond })))));
  return { perSecond, samples };
}

function halfOf(samples: readonly Sample[]): number {
  return Math.ceil(median(samples.map(({ requestsPerSecond }) => requestsPerSecond)) / 2);
}

async function startFar(
  build: Build,
  root: string | undefined,
  select: Series,
  backends: Backends,
  started: (served: Served) => void,
): Promise<FarBuild> {
  const proxy = stopAtEnd(await startDistance(backends.server, roundTripMs));
  const name = `compare-${build}-far`;
  const bundle = await bundleGateway(directoryOf(name), policyFor(backends, proxy.port), { root });
  const served = await startGateway(name, bundle, backends);
  started(served);
  const headers = headersOf(backends.tokens.editor);
  await sendOnce(served.url, select[0], headers);
  const mixed = mixedSeries(select, writeSeries());
  return {
    select: { name: `${build}-select`, served, headers, requests: ofKind(select, "read") },
    crowded: { name: `${build}-crowded`, served, headers, requests: mixed },
    calm: { name: `${build}-calm`, served, headers, requests: mixed },
  };
}
