import { randomInt } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { declare, readScriptOptions, wholeNumber } from "../cli/command/declare.ts";
import { complain } from "../cli/command/errors.ts";
import { packageRoot } from "../cli/project/paths.ts";
import { engines } from "../servers/database/engines.ts";
import { moveMoney } from "./callers.ts";
import { client } from "./client.ts";
import { readLedger } from "./database.ts";
import type { Victims } from "./faults.ts";
import { inject } from "./faults.ts";
import { soakAccounts } from "./gateway.ts";
import type { Injected } from "./health.ts";
import { Random } from "./random.ts";
import { format } from "./report.ts";
import { planFaults } from "./schedule.ts";
import { settle } from "./settle.ts";
import { summarize } from "./summary.ts";
import { Tally } from "./tally.ts";
import { Watch } from "./watch.ts";
import type { World } from "./world.ts";
import { soakDirectory, startWorld } from "./world.ts";

const options = await readScriptOptions(
  declare(
    "soak",
    "Moves money through the gateway while everything that it depends on breaks, then compares what the callers know with what the ledger has (soak/README.md).",
    "npm run soak --",
  )
    .option("--minutes <N>", "how long faults are made, in minutes", positive, 1)
    .addOption(new Option("--engine <ENGINE>", "the database").choices(engines).default("mysql" as const))
    .option(
      "--seed <S>",
      "a whole number: the same faults again; without it a random one",
      wholeNumber(0, 2 ** 53 - 1),
    ),
);
const { minutes, engine, seed = randomInt(2 ** 31) } = options;

/** Callers per shard. With these, every connection of every shard is busy at times. */
const callersPerShard = 5;
/** A time without faults at the end, in which the gateway must recover from the last one. */
const calmMs = 5_000;
const forgetMs = 2_000;

const startedMs = performance.now();
const startedAt = new Date().toISOString();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));

let world: World | undefined;
try {
  log(`seed ${seed}`);
  world = await startWorld(engine, log);
  const report = await soak(world);
  const latest = join(soakDirectory, "latest.json");
  mkdirSync(soakDirectory, { recursive: true });
  writeFileSync(latest, `${JSON.stringify(report, null, 2)}\n`);
  console.log(`\n${format(report)}\n\nAs JSON: ${relative(packageRoot, latest)}`);
  if (report.violations.length > 0) process.exitCode = 1;
} catch (cause) {
  process.exitCode = complain(cause);
} finally {
  await world?.stop();
  // Ends the parts of a start that failed half-way.
  process.exit();
}

async function soak(world: World) {
  const { database, gateway, proxy, opening } = world;
  const tally = new Tally();
  const users = soakAccounts.map(({ user }) => user);
  const watch = new Watch({ database, users, pid: gateway.pid, nowMs: () => tally.nowMs() });
  const forgetting = setInterval(() => {
    gateway.forgetLogs();
    proxy.forget();
  }, forgetMs);
  const stopping = new AbortController();
  const calling = await startCallers(world, tally, stopping.signal);
  const faults = await injectFaults(world, tally);
  stopping.abort();
  await Promise.all(calling);
  const endMs = tally.nowMs();
  watch.stop();
  clearInterval(forgetting);
  log("comparing");
  const administrator = await database.administrator();
  const settled = await settle(gateway, administrator);
  const tables = await readLedger(administrator);
  await administrator.end();
  const conditions = { startedAt, minutes, seed, database: `${engine} ${database.version}` };
  return summarize({
    conditions,
    tally,
    watch,
    faults,
    endMs,
    callers: calling.length,
    opening,
    tables,
    settled,
  });
}

async function startCallers({ gateway }: World, tally: Tally, signal: AbortSignal): Promise<Promise<void>[]> {
  const all = soakAccounts.flatMap(({ name, shards }) =>
    Array.from({ length: shards * callersPerShard }, (_, i) => ({ account: name, subject: `${name}-${i}` })),
  );
  const tokens = await Promise.all(all.map(({ account, subject }) => gateway.token(account, subject)));
  return all.map(async ({ subject: name }, i) => {
    const random = new Random(seed + i + 1);
    await moveMoney(
      { name, random, ask: client(gateway.url, tokens[i] ?? "", tally, random) },
      tally,
      signal,
    );
  });
}

/** Injects one fault after the other until the time is over. @returns the injected faults */
async function injectFaults(victims: Victims, tally: Tally): Promise<Injected[]> {
  const endMs = minutes * 60_000 - calmMs;
  const faults: Injected[] = [];
  for (const fault of planFaults(seed)) {
    if (tally.nowMs() + fault.pauseMs > endMs) break;
    await sleep(fault.pauseMs);
    const fromMs = tally.nowMs();
    await inject(fault, victims);
    const toMs = tally.nowMs();
    faults.push({ kind: fault.kind, fromMs, toMs });
    log(
      `${fault.kind}, ${((toMs - fromMs) / 1000).toFixed(1)} s; ${tally.acknowledgedMs.length} acknowledged`,
    );
  }
  await sleep(Math.max(0, endMs - tally.nowMs()) + calmMs);
  return faults;
}

function positive(text: string): number {
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError("It takes a number above 0.");
}

function log(line: string): void {
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1).padStart(6);
  console.error(`[${seconds} s] ${line}`);
}
