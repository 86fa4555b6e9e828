import { connectionsPerShard, soakAccounts } from "./gateway.ts";
import type { Injected } from "./health.ts";
import {
  faultFigures,
  judgeConnections,
  judgeMemory,
  judgeProgress,
  memoryFigures,
  warmFrom,
} from "./health.ts";
import type { Tables } from "./oracle.ts";
import { audit } from "./oracle.ts";
import type { Outcome } from "./outcome.ts";
import type { SoakReport } from "./report.ts";
import { latencyOf } from "./report.ts";
import { faultKinds } from "./schedule.ts";
import type { settle } from "./settle.ts";
import type { Tally } from "./tally.ts";
import type { Watch } from "./watch.ts";

/** All data that a run leaves. */
export interface Remains {
  conditions: Pick<SoakReport, "startedAt" | "minutes" | "seed" | "database">;
  callers: number;
  tally: Tally;
  watch: Pick<Watch, "connections" | "memory">;
  faults: readonly Injected[];
  endMs: number;
  opening: Tables["balances"];
  tables: Tables;
  settled: Awaited<ReturnType<typeof settle>>;
}

/** Judges a run. */
export function summarize(remains: Remains): SoakReport {
  const { tally, watch, faults, endMs, opening, tables, settled } = remains;
  const { records, acknowledgedMs, latenciesMs } = tally;
  const budget = Object.fromEntries(
    soakAccounts.map(({ user, shards }) => [user, shards * connectionsPerShard]),
  );
  const most = Object.keys(budget).map((user) => [
    user,
    watch.connections.reduce((most, { byUser }) => Math.max(most, byUser[user] ?? 0), 0),
  ]);
  const memory = memoryFigures(watch.memory, warmFrom(acknowledgedMs));
  const there = new Set(tables.transfers.map(({ id }) => id));
  const of = (outcome: Outcome) => records.filter((record) => record.outcome === outcome);
  return {
    version: 1,
    ...remains.conditions,
    callers: remains.callers,
    faults: Object.fromEntries(
      faultKinds.map((kind) => [
        kind,
        faultFigures(
          faults.filter((fault) => fault.kind === kind),
          acknowledgedMs,
          faults,
        ),
      ]),
    ) as SoakReport["faults"],
    abandoned: tally.abandoned,
    transfers: {
      acknowledged: of("acknowledged").length,
      refused: of("refused").length,
      unknown: of("unknown").length,
    },
    unknownSeen: of("unknown").filter(({ seen }) => seen).length,
    unknownThere: of("unknown").filter(({ id }) => there.has(id)).length,
    retries: tally.retries,
    answers: Object.fromEntries([...tally.answers].sort(([, a], [, b]) => b - a)),
    latency: { batch: latencyOf(latenciesMs.batch), transaction: latencyOf(latenciesMs.transaction) },
    slowestAnswerMs: tally.slowestAnswerMs,
    connections: { budget, most: Object.fromEntries(most), ...settled.connections },
    memory: memory ?? null,
    violations: [
      ...audit(opening, records, tables),
      ...tally.violations(),
      ...judgeProgress(acknowledgedMs, faults, endMs),
      ...judgeConnections(watch.connections, faults, budget),
      ...settled.violations,
      ...judgeMemory(memory),
    ],
  };
}
