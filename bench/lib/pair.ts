import { ratioLine, ratioOf, table } from "./figures.ts";
import type { Sample, Schedule, Target } from "./measure.ts";
import { sendOnce } from "./request.ts";
import { aboveColumns, cells, columns, targetReport } from "./summary.ts";
import { path } from "./variants.ts";
import type { Served } from "./workerd.ts";

/** Two gateways that differ in one thing. They get the same requests in turn. */

/** A request for both, and the number of rows in its answer. */
export interface PairRequest {
  path: string;
  rows: number;
  label: string;
}

/** All answers are ASCII, because autocannon may split a character. */
export const pairRequests = {
  select: { path, rows: 1, label: "point select" },
  rows: { path: "/v1/queries/cities-by-country?country=US&limit=500", rows: 500, label: "500 rows" },
} as const satisfies Record<string, PairRequest>;

/** @param quick two short rounds, only to see that the bench works */
export function pairSchedule(quick: boolean): Schedule {
  return quick
    ? { connections: [16], rounds: 2, roundSeconds: 1, warmUpSeconds: 0.5 }
    : { connections: [16], rounds: 10, roundSeconds: 2, warmUpSeconds: 2 };
}

/**
 * Sends one request, and takes its answer as the expected answer of all. @throws Error if it has not the
 * right rows
 */
export async function pairTarget<Name extends string>(
  name: Name,
  request: PairRequest,
  served: Served,
  token: string,
): Promise<Target<Name>> {
  const headers = { authorization: `Bearer ${token}` };
  const { path } = request;
  const expectedAnswer = await sendOnce(served.url, { path }, headers);
  if (JSON.parse(expectedAnswer).rows.length !== request.rows) {
    throw new Error(`${name} answered without ${request.rows} rows: ${expectedAnswer.slice(0, 500)}`);
  }
  return { name, served, headers, requests: [{ path, expectedAnswer }] };
}

type Figure = "requestsPerSecond" | "serverCpuUs" | "databaseCpuUs" | "p50Ms";

/**
 * @param pair name and samples of each; ratios are those of the second to the first
 * @param figures the values with ratios, and the name of each
 * @returns the lines of one request: a row for each of the pair, then the ratios
 */
export function pairLines(
  label: string,
  pair: readonly [[string, Sample[]], [string, Sample[]]],
  figures: Partial<Record<Figure, string>>,
): string[] {
  const [[first, theirs], [second, ours]] = pair;
  const ratio = (key: Figure) =>
    ratioOf(
      ours.map((sample) => sample[key]),
      theirs.map((sample) => sample[key]),
    );
  return [
    "",
    aboveColumns,
    ...table([
      [label, ...columns],
      ...pair.map(([name, samples]) => [name, ...cells(targetReport(samples))]),
    ]),
    ...Object.entries(figures).map(([key, called]) =>
      ratioLine(`${second} / ${first}, ${called}`, ratio(key as Figure)),
    ),
  ];
}
