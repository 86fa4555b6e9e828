import { mint } from "../../servers/issuer/issuer.ts";
import { limits } from "../../src/limits.ts";
import type { Backends } from "../lib/backends.ts";
import { audience, databasePid } from "../lib/backends.ts";
import type { Ratio } from "../lib/figures.ts";
import { ratioLine, ratioOf, table } from "../lib/figures.ts";
import type { LoadGenerator } from "../lib/load.ts";
import { readLog } from "../lib/log.ts";
import type { Sample, Schedule, Target } from "../lib/measure.ts";
import { measureAll } from "../lib/measure.ts";
import type { Series } from "../lib/request.ts";
import { sendOnce } from "../lib/request.ts";
import type { TargetReport } from "../lib/summary.ts";
import { aboveColumns, cells, columns, targetReport } from "../lib/summary.ts";
import { path } from "../lib/variants.ts";
import type { Served } from "../lib/workerd.ts";

/** The gain from the gateway's memory of verified tokens. */
export interface TokenCacheReport {
  connections: number;
  rounds: number;
  roundSeconds: number;
  /** The number of different tokens in turn; the gateway remembers fewer. */
  tokens: number;
  cases: CacheCase[];
}

export interface CacheCase {
  algorithm: Algorithm;
  request: RequestName;
  /** The same token each time. */
  same: TargetReport & TokensSeen;
  /** A token that is not remembered, each time. */
  different: TargetReport & TokensSeen;
  /** Same divided by different, in the same round; `cpu` is the server's per request, null if not known. */
  ratios: { requestsPerSecond: Ratio; cpu: Ratio | null };
}

/** How the requests' tokens were checked, by the gateway's log, warm-up included. */
export interface TokensSeen {
  verified: number;
  remembered: number;
}

type Algorithm = keyof Backends["keys"];
type RequestName = keyof typeof requests;
type Which = "same" | "different";
type Name = `${Algorithm}-${RequestName}-${Which}`;

/**
 * A `refused` request ends after the check of token and grant: there is no such query, so the database is
 * not asked.
 */
const requests = {
  refused: { path: "/v1/queries/no-such-query", status: 404, label: "refused after the token" },
  select: { path, status: 200, label: "point select" },
} as const;
const requestNames = ["refused", "select"] as const;
const algorithms = ["ES256", "RS256"] as const;

/**
 * The least recently used token is forgotten first. With twice as many tokens in turn, none is remembered
 * when it comes again.
 */
const tokenCount = 2 * limits.verifiedTokens;

/**
 * Loads the gateway with the same token each time, and with a token that it does not remember each time.
 * @throws Error if its log shows another way for a token
 */
export async function measureTokenCache(
  gateway: Served,
  backends: Backends,
  schedule: Schedule,
  load: LoadGenerator,
  log: (line: string) => void,
): Promise<TokenCacheReport> {
  const targets: Target<Name>[] = [];
  for (const algorithm of algorithms) {
    const minted = await mintMany(backends, algorithm, 1 + requestNames.length + tokenCount);
    const [one = "", ...different] = minted;
    for (const request of requestNames) {
      for (const which of ["same", "different"] as const) {
        const token = which === "same" ? one : (different.pop() ?? "");
        targets.push(await target(gateway, algorithm, request, which, token));
      }
    }
    load.keep({ ring: `${algorithm}-same`, tokens: [one] });
    load.keep({ ring: `${algorithm}-different`, tokens: different });
  }
  const samples = await measureAll(targets, schedule, load, databasePid(backends), log);
  const seen = await tokensSeen(gateway.logPath);
  const [connections = 0] = schedule.connections;
  const cases = algorithms.flatMap((algorithm) =>
    requestNames.map((request) => cacheCase(algorithm, request, samples, seen, connections)),
  );
  const { rounds, roundSeconds } = schedule;
  return { connections, rounds, roundSeconds, tokens: tokenCount, cases };
}

/** @returns valid tokens of the analyst, each with a different caller */
async function mintMany({ issuer, keys }: Backends, algorithm: Algorithm, count: number): Promise<string[]> {
  const subjects = Array.from({ length: count }, (_, i) => `bench-${i}`);
  const claims = { iss: issuer.url, aud: audience, role: "analyst" };
  return await Promise.all(subjects.map((sub) => mint(keys[algorithm], { ...claims, sub })));
}

/**
 * The request id is the target's name. A refusal repeats the id, so every answer is the same, and the log
 * has the name.
 * @param token for the first request, which shows the expected answer
 */
async function target(
  gateway: Served,
  algorithm: Algorithm,
  request: RequestName,
  which: Which,
  token: string,
): Promise<Target<Name>> {
  const name: Name = `${algorithm}-${request}-${which}`;
  const { path, status } = requests[request];
  const headers = { "x-request-id": name };
  const first = { authorization: `Bearer ${token}`, ...headers };
  const expectedAnswer = await sendOnce(gateway.url, { path }, first, status);
  const series: Series = [{ path, expectedAnswer }];
  return { name, served: gateway, headers, requests: series, status, ring: `${algorithm}-${which}` };
}

async function tokensSeen(logPath: string): Promise<Map<string, TokensSeen>> {
  const seen = new Map<string, TokensSeen>();
  for await (const { request_id, token } of readLog(logPath)) {
    if (request_id === undefined || token === undefined) continue;
    const counts = seen.get(request_id) ?? { verified: 0, remembered: 0 };
    counts[token] += 1;
    seen.set(request_id, counts);
  }
  return seen;
}

function cacheCase(
  algorithm: Algorithm,
  request: RequestName,
  samples: Sample<Name>[],
  seen: Map<string, TokensSeen>,
  connections: number,
): CacheCase {
  const of = (which: Which) => samples.filter(({ target }) => target === `${algorithm}-${request}-${which}`);
  const counted = (which: Which) =>
    seen.get(`${algorithm}-${request}-${which}`) ?? { verified: 0, remembered: 0 };
  const [same, different] = [of("same"), of("different")];
  const over = (key: "requestsPerSecond" | "serverCpuUs") =>
    ratioOf(
      same.map((sample) => sample[key]),
      different.map((sample) => sample[key]),
    );
  // Each run may begin with all connections at once, before the first token is remembered.
  const forgotten = counted("same").verified > connections * (same.length + 2);
  const logged = counted("same").remembered > 0 && counted("different").verified > 0;
  if (forgotten || !logged || counted("different").remembered > 0) {
    throw new Error(
      `${algorithm}, ${request}: the gateway's log has ${JSON.stringify(counted("same"))} for the same token and ${JSON.stringify(counted("different"))} for different ones`,
    );
  }
  const cpu = over("serverCpuUs");
  return {
    algorithm,
    request,
    same: { ...targetReport(same), ...counted("same") },
    different: { ...targetReport(different), ...counted("different") },
    ratios: { requestsPerSecond: over("requestsPerSecond"), cpu: Number.isNaN(cpu.median) ? null : cpu },
  };
}

/** The report as text for a terminal. */
export function formatTokenCache({
  connections,
  rounds,
  roundSeconds,
  tokens,
  cases,
}: TokenCacheReport): string[] {
  return [
    "",
    `the memory of verified tokens: the same token each time against ${tokens.toLocaleString("en")} in turn`,
    `${connections} connections, medians of ${rounds} rounds of ${roundSeconds} s`,
    ...cases.flatMap(({ algorithm, request, same, different, ratios }) => [
      "",
      `      ${aboveColumns}`,
      ...table(
        [
          [`${algorithm}, ${requests[request].label}`, ...columns],
          ["same token", ...cells(same)],
          ["different tokens", ...cells(different)],
        ],
        [32, 11],
      ),
      ratioLine("same / different, requests/s", ratios.requestsPerSecond),
      ...(ratios.cpu === null ? [] : [ratioLine("same / different, CPU", ratios.cpu)]),
      `  by the gateway's log: same ${seenText(same)}; different ${seenText(different)}`,
    ]),
  ];
}

function seenText({ verified, remembered }: TokensSeen): string {
  return `${remembered.toLocaleString("en")} remembered, ${verified.toLocaleString("en")} verified`;
}
