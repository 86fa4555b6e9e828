import { setTimeout as sleep } from "node:timers/promises";
import type { Connection } from "mysql2/promise";
import mysql from "mysql2/promise";
import { connectionOptions } from "../../servers/database/connection.ts";
import { limits } from "../../src/limits.ts";
import type { Backends } from "../lib/backends.ts";
import { databasePid } from "../lib/backends.ts";
import { cpuTimes, usedMs } from "../lib/cpu.ts";
import { known } from "../lib/figures.ts";
import type { LoadGenerator } from "../lib/load.ts";
import type { Schedule, Target } from "../lib/measure.ts";
import { measureAll } from "../lib/measure.ts";
import { countryCodes } from "../lib/points.ts";
import { countrySql } from "../lib/variants.ts";
import type { BareExecuteReport, CostSample } from "./bare-execute-report.ts";
import { bareExecuteReport } from "./bare-execute-report.ts";

/**
 * Measures the gateway's point select and mysql2's bare EXECUTE of it in turn, and the database's CPU meanwhile.
 * @throws Error when the server's own counts show another command than EXECUTE
 */
export async function measureBareExecute(
  gateway: Target<string>,
  backends: Backends,
  { rounds, roundSeconds, warmUpSeconds, connections: [connections = NaN] }: Schedule,
  load: LoadGenerator,
  log: (line: string) => void,
): Promise<BareExecuteReport> {
  const pid = databasePid(backends);
  const codes = await countryCodes(backends);
  const sql = countrySql();
  const callers = await Promise.all(Array.from({ length: limits.connectionsPerShard }, () => open(backends)));
  try {
    const run = async (seconds: number, perSecond = Infinity) =>
      await execute(callers, sql, codes, seconds, perSecond, pid);
    await run(warmUpSeconds);
    const ours: CostSample[] = [];
    const bare: CostSample[] = [];
    const paced: CostSample[] = [];
    for (let round = 0; round < rounds; round++) {
      const one = { connections: [connections], rounds: 1, roundSeconds };
      const schedule = { ...one, warmUpSeconds: round === 0 ? warmUpSeconds : 0 };
      const [sample] = await measureAll([gateway], schedule, load, pid, () => {});
      if (!sample) throw new Error("the gateway was not measured");
      ours.push({ statementsPerSecond: sample.requestsPerSecond, databaseCpuUs: sample.databaseCpuUs });
      bare.push(await counted(callers, () => run(roundSeconds)));
      paced.push(await counted(callers, () => run(roundSeconds, sample.requestsPerSecond)));
      const cpus = [ours, bare, paced].map((kind) => known(kind.at(-1)?.databaseCpuUs ?? NaN));
      log(
        `round ${round + 1} of ${rounds}, the database's CPU in µs: gateway, bare, paced: ${cpus.join(", ")}`,
      );
    }
    return bareExecuteReport(connections, roundSeconds, { gateway: ours, execute: bare, paced });
  } finally {
    for (const caller of callers) caller.destroy();
  }
}

async function open({ server, sample, passwords }: Backends): Promise<Connection> {
  return await mysql.createConnection({
    ...connectionOptions(server, sample.analyst.user, passwords.analyst),
    database: sample.database,
  });
}

interface Executed extends CostSample {
  statements: number;
}

/**
 * Each connection executes, waits for the rows and until the next one is due, and executes again. mysql2 keeps the
 * statement prepared.
 * @param perSecond of all connections together, at the most
 */
async function execute(
  callers: readonly Connection[],
  sql: string,
  codes: readonly string[],
  seconds: number,
  perSecond: number,
  databasePid: number,
): Promise<Executed> {
  let statements = 0;
  const before = cpuTimes([databasePid]);
  const until = before.atMs + seconds * 1000;
  const loop = async (caller: Connection) => {
    while (performance.now() < until) {
      const number = statements;
      statements += 1;
      const aheadMs = before.atMs + (number * 1000) / perSecond - performance.now();
      if (aheadMs > 0) await sleep(aheadMs);
      const code = codes[number % codes.length] ?? null;
      const [rows] = await caller.execute<mysql.RowDataPacket[]>(sql, [code]);
      if (rows.length !== 1 || rows[0]?.code !== code) throw new Error(`EXECUTE answered not with ${code}`);
    }
  };
  await Promise.all(callers.map(loop));
  const after = cpuTimes([databasePid]);
  const [databaseMs = NaN] = usedMs(before, after);
  return {
    statements,
    statementsPerSecond: (statements * 1000) / (after.atMs - before.atMs),
    databaseCpuUs: (databaseMs * 1000) / statements,
  };
}

/** What the server counts of a session. It does not count PREPARE, CLOSE and PING as questions. */
const counters = ["Questions", "Com_stmt_execute", "Com_stmt_prepare", "Com_stmt_close"] as const;
type Counts = Record<(typeof counters)[number], number>;

/** @throws Error if the connections did anything else than to execute */
async function counted(callers: readonly Connection[], run: () => Promise<Executed>): Promise<CostSample> {
  const before = await countsOf(callers);
  const { statements, ...round } = await run();
  const after = await countsOf(callers);
  const seen = counters.map((name) => after[name] - before[name]);
  // Of the two questions for the counts, one is counted on each connection.
  const expected = [statements + callers.length, statements, 0, 0];
  if (seen.join() === expected.join()) return round;
  throw new Error(`the server counted ${seen} (${counters}) for ${statements} bare EXECUTEs`);
}

async function countsOf(callers: readonly Connection[]): Promise<Counts> {
  const counts: Counts = { Questions: 0, Com_stmt_execute: 0, Com_stmt_prepare: 0, Com_stmt_close: 0 };
  for (const caller of callers) {
    const [rows] = await caller.query<mysql.RowDataPacket[]>("SHOW SESSION STATUS");
    for (const name of counters) {
      counts[name] += Number(rows.find(({ Variable_name }) => Variable_name === name)?.Value);
    }
  }
  return counts;
}
