import { limits } from "../../src/limits.ts";
import { known, median, quantile, rounded, table } from "../lib/figures.ts";

/** What a hot read costs the database, beside the least that it can cost. */
export interface BareExecuteReport {
  /** Of the gateway's callers; the bare EXECUTEs have as many connections as a shard, with one caller each. */
  connections: number;
  rounds: number;
  roundSeconds: number;
  gateway: Cost;
  /** COM_STMT_EXECUTE of the same statement, and no other command, each as soon as the rows before it are there. */
  execute: BareCost;
  /** The same, no more a second than the gateway served in the round: an idle server has work of its own. */
  paced: BareCost;
}

interface Cost {
  /** Median of the rounds. */
  statementsPerSecond: number;
  /** Microseconds per statement: the lower quartile of the rounds. null if not known. */
  databaseCpuUs: number | null;
}

interface BareCost extends Cost {
  /** The database's CPU for the gateway divided by that for this; null if not known. */
  ratio: number | null;
}

/** In one round. */
export interface CostSample {
  statementsPerSecond: number;
  databaseCpuUs: number;
}

/** @param samples of each, one a round */
export function bareExecuteReport(
  connections: number,
  roundSeconds: number,
  { gateway, execute, paced }: Record<"gateway" | "execute" | "paced", readonly CostSample[]>,
): BareExecuteReport {
  const bareCost = (samples: readonly CostSample[]): BareCost => {
    const ratio = cpuOf(gateway) / cpuOf(samples);
    return { ...costOf(samples), ratio: Number.isFinite(ratio) ? rounded(ratio, 2) : null };
  };
  return {
    connections,
    rounds: gateway.length,
    roundSeconds,
    gateway: costOf(gateway),
    execute: bareCost(execute),
    paced: bareCost(paced),
  };
}

function cpuOf(rounds: readonly CostSample[]): number {
  return quantile(
    rounds.map(({ databaseCpuUs }) => databaseCpuUs),
    0.25,
  );
}

function costOf(rounds: readonly CostSample[]): Cost {
  const rates = rounds.map(({ statementsPerSecond }) => statementsPerSecond);
  return { statementsPerSecond: Math.round(median(rates)), databaseCpuUs: known(cpuOf(rounds)) };
}

/** The report as text for a terminal. */
export function formatBareExecute({
  connections,
  gateway,
  execute: bare,
  paced,
}: BareExecuteReport): string[] {
  const figures = ({ statementsPerSecond, databaseCpuUs }: Cost) => [
    statementsPerSecond.toLocaleString("en"),
    databaseCpuUs?.toLocaleString("en") ?? "-",
  ];
  const row = (label: string, cost: BareCost) => [label, ...figures(cost), cost.ratio?.toFixed(2) ?? "-"];
  return [
    "",
    ...table(
      [
        ["a point select", "statements/s", "database µs", "gateway / this"],
        [`gateway, ${connections} connections`, ...figures(gateway)],
        row(`bare EXECUTE, ${limits.connectionsPerShard} connections`, bare),
        row("the same at the gateway's rate", paced),
      ],
      [32, 14, 14, 16],
    ),
  ];
}
