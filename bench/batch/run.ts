import { writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { readScriptOptions } from "../../cli/command/declare.ts";
import { packageRoot } from "../../cli/project/paths.ts";
import type { CountingProxy } from "../../servers/wire/proxy.ts";
import { startCountingProxy } from "../../servers/wire/proxy.ts";
import type { Dialect } from "../../src/db/mysql/engines/dialect.ts";
import { dialectOf } from "../../src/db/mysql/engines/dialect-of.ts";
import { beginInSession } from "../../src/db/mysql/engines/transaction.ts";
import type { Session } from "../../src/db/mysql/session/session.ts";
import type { BatchWork } from "../../src/db/pool/messages/protocol.ts";
import { runBatch } from "../../src/db/pool/work/batch.ts";
import { CancellableStatement } from "../../src/db/pool/work/cancellable-statement.ts";
import type { Backends } from "../lib/backends.ts";
import { benchDirectory, startBackends } from "../lib/backends.ts";
import { median, ratioOf, rounded, table } from "../lib/figures.ts";
import { runBench, stopAtEnd } from "../lib/lifecycle.ts";
import { machine, machineLine, versionsOf } from "../lib/machine.ts";
import { declareBench } from "../lib/options.ts";
import { countrySql } from "../lib/variants.ts";
import { openSession } from "../restore/callers.ts";
import { countryWork } from "../workers/work.ts";

const distancesMs = [0, 2, 10];
const sizes = [1, 5, 40];
const options = await readScriptOptions(
  declareBench(
    "bench:batch",
    "What a batch's statements in one burst are worth over a distance, against the same statements one after the other in the same session (docs/explanation/performance.md).",
  ),
);
const schedule = options.quick ? { rounds: 2, batches: 3 } : { rounds: 7, batches: 15 };
const select = countryWork(countrySql());

/** One way to run the statements. */
type Way = (session: Session) => Promise<void>;

/** @returns N point selects in a transaction that may write, as the pool runs them */
function together(n: number, dialect: Dialect): Way {
  const { sql, values, ceilings } = select;
  const statement = () => ({ sql, values: [...values], writable: false, bounded: true, returning: false });
  const statements = Array.from({ length: n }, statement);
  const shape = "object";
  const work: BatchWork = {
    kind: "batch",
    caller: "",
    statements,
    readOnly: false,
    dryRun: false,
    shape,
    ceilings,
  };
  return async (session) => {
    const running = new CancellableStatement<Session>({
      deadlineMs: ceilings.deadlineMs,
      writes: false,
      control: { prepare() {}, kill: async () => false },
      giveBack() {},
      discard() {},
    });
    const { body } = await runBatch(session, dialect, work, running);
    const { results } = (await new Response(body).json()) as { results: unknown[] };
    if (results.length !== n) throw new Error(`${results.length} results of ${n}`);
  };
}

/** @returns the same commands, each sent after the answer to the one before it */
function oneByOne(n: number, dialect: Dialect): Way {
  return async (session) => {
    for (const sql of beginInSession(dialect, { readOnly: false })) await session.control(sql);
    for (let i = 0; i < n; i++)
      await session.run(select, { columns() {}, row() {}, values() {}, answered() {} });
    await session.control("COMMIT");
  };
}

/** Restores come between the batches; the times do not include them. @returns the median time, in ms */
async function time(session: Session, way: Way): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < schedule.batches; i++) {
    await session.restore([select]);
    const startedMs = performance.now();
    await way(session);
    times.push(performance.now() - startedMs);
  }
  return median(times);
}

async function count(session: Session, way: Way, proxy: CountingProxy): Promise<number> {
  await session.restore([select]);
  const mark = proxy.mark();
  await way(session);
  return mark.roundTrips;
}

async function compare(n: number, session: Session, { server }: Backends, proxy: CountingProxy) {
  const dialect = dialectOf(server);
  const ways = { together: together(n, dialect), oneByOne: oneByOne(n, dialect) };
  const roundTrips = {
    together: await count(session, ways.together, proxy),
    oneByOne: await count(session, ways.oneByOne, proxy),
  };
  const timesMs = { together: [] as number[], oneByOne: [] as number[] };
  for (let round = 0; round < schedule.rounds; round++) {
    const order = round % 2 === 0 ? (["together", "oneByOne"] as const) : (["oneByOne", "together"] as const);
    for (const way of order) timesMs[way].push(await time(session, ways[way]));
  }
  return {
    statements: n,
    roundTrips,
    togetherMs: rounded(median(timesMs.together), 2),
    oneByOneMs: rounded(median(timesMs.oneByOne), 2),
    ratio: ratioOf(timesMs.together, timesMs.oneByOne),
  };
}

const machineBefore = machine();
await runBench(async () => {
  const backends = stopAtEnd(await startBackends(console.error));
  const { server, pki } = backends;
  const target = { host: server.host, port: server.port, ca: pki.ca };
  const proxy = stopAtEnd(
    await startCountingProxy({ target, certificate: pki.certificate, privateKey: pki.key }),
  );
  const session = await openSession(backends, proxy.port);
  const reports = [];
  for (const roundTripMs of distancesMs) {
    proxy.setDelayMs(roundTripMs / 2);
    for (const n of sizes) reports.push({ roundTripMs, ...(await compare(n, session, backends, proxy)) });
  }
  const latest = join(benchDirectory, "batch.json");
  const versions = versionsOf(server);
  const result = { quick: options.quick, machine: machineBefore, versions, schedule, reports };
  writeFileSync(latest, `${JSON.stringify(result, null, 2)}\n`);
  const rows = reports.map(({ roundTripMs, statements, roundTrips, togetherMs, oneByOneMs, ratio }) => [
    `${statements} hot statements, ${roundTripMs} ms`,
    `${roundTrips.together}`,
    `${roundTrips.oneByOne}`,
    `${togetherMs}`,
    `${oneByOneMs}`,
    `${ratio.median} (${ratio.min} to ${ratio.max})`,
  ]);
  const head = ["", "trips", "one by one", "ms", "one by one", "ratio of times"];
  console.log(
    [machineLine(versions, machineBefore, null), ...table([head, ...rows], [28, 8, 12, 10, 12, 26])].join(
      "\n",
    ),
  );
  console.log(`\nAs JSON: ${relative(packageRoot, latest)}`);
  session.close();
});
