import { deepStrictEqual } from "node:assert/strict";
import type { Backends } from "../lib/backends.ts";
import { databasePid, policyFor } from "../lib/backends.ts";
import { bundleGateway } from "../lib/bundle.ts";
import type { LoadGenerator } from "../lib/load.ts";
import type { Sample, Schedule, Target } from "../lib/measure.ts";
import { measureAll } from "../lib/measure.ts";
import { countryCodes, prepareNotes, selectSeries, writeSeries } from "../lib/points.ts";
import type { Series } from "../lib/request.ts";
import { directoryOf, headersOf, startGateway, withRustls } from "../lib/variants.ts";
import type { Served } from "../lib/workerd.ts";
import type { Build } from "./builds.ts";
import { measureAtDistance } from "./distance.ts";
import type { DistanceSamples } from "./distance-report.ts";
import type { Name } from "./report.ts";

export interface Measured {
  near: Sample<Name>[];
  distance: DistanceSamples;
}

/**
 * Measures two builds of the gateway in the same rounds, on the same database, workerd and load generator: first
 * with the database on the same machine, then at a distance.
 * @param root of the base
 * @param started is told each server, which the caller has to stop
 * @throws Error when the builds answer with different rows
 */
export async function measureBuilds(
  root: string,
  backends: Backends,
  schedules: Record<keyof Measured, Schedule>,
  load: LoadGenerator,
  started: (served: Served) => void,
  log: (line: string) => void,
): Promise<Measured> {
  await prepareNotes(backends);
  const codes = await countryCodes(backends);
  const roots = { base: root, new: undefined };
  const base = await startBuild("base", roots.base, backends, codes, started);
  const ours = await startBuild("new", roots.new, backends, codes, started);
  const targets = base.flatMap((target, i) => {
    const other = ours[i];
    if (!other) throw new Error("a build has fewer targets");
    deepStrictEqual(rowsOf(other.requests), rowsOf(target.requests), "the builds answer with different rows");
    return [target, other];
  });
  const near = await measureAll(targets, schedules.near, load, databasePid(backends), log);
  const selects = { base: selectOf(base), new: selectOf(ours) };
  const distance = await measureAtDistance(roots, selects, backends, schedules.distance, load, started, log);
  return { near, distance };
}

function selectOf([select]: Target<Name>[]): Series {
  if (!select) throw new Error("a build has no select");
  return select.requests;
}

/** The rows alone: a build may add a field to its answers. */
function rowsOf(series: Series): unknown[] {
  return series.map(({ expectedAnswer }) =>
    typeof expectedAnswer === "string" ? JSON.parse(expectedAnswer).rows : expectedAnswer,
  );
}

async function startBuild(
  build: Build,
  root: string | undefined,
  backends: Backends,
  codes: readonly string[],
  started: (served: Served) => void,
): Promise<Target<Name>[]> {
  const start = async (name: string, policy: Record<string, unknown>): Promise<Served> => {
    const bundle = await bundleGateway(directoryOf(name), policy, { root });
    const served = await startGateway(name, bundle, backends);
    started(served);
    return served;
  };
  const names = { platform: `compare-${build}`, rustls: `compare-${build}-rustls` };
  const policy = policyFor(backends);
  const platform = await start(names.platform, policy);
  const rustls = await start(names.rustls, withRustls(directoryOf(names.rustls), policy, backends));
  const analyst = headersOf(backends.tokens.analyst);
  const editor = headersOf(backends.tokens.editor);
  const select = await selectSeries(platform.url, analyst, codes);
  const overRustls = await selectSeries(rustls.url, analyst, codes);
  return [
    { name: `${build}-select`, served: platform, headers: analyst, requests: select },
    { name: `${build}-write`, served: platform, headers: editor, requests: writeSeries() },
    { name: `${build}-rustls`, served: rustls, headers: analyst, requests: overRustls },
  ];
}
