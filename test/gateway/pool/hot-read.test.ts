import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packageRoot } from "../../../cli/project/paths.ts";
import type { Engine } from "../../../servers/database/engines.ts";
import type { CountingProxy } from "../../../servers/wire/proxy.ts";
import { limits } from "../../../src/limits.ts";
import type { Place, Tally } from "../support/entries/counters.ts";
import type { Gateway } from "../support/harness.ts";
import { engine, issuers, read, startGateway, startProxy, testAccount } from "../support/harness.ts";

/**
 * The table of docs/explanation/performance.md, "What a hot read does, counted": each figure must be exactly what is counted here.
 * A change that makes one smaller writes the smaller one there.
 */

const document = readFileSync(join(packageRoot, "docs", "explanation", "performance.md"), "utf8");
const [, section = ""] = /\n## What a hot read does, counted\n([\s\S]*?)\n## /.exec(document) ?? [];
const [head = [], , ...rows] = section
  .split("\n")
  .filter((line) => line.startsWith("|"))
  .map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
const titles: Record<Engine, string> = { mysql: "MySQL", mariadb: "MariaDB", tidb: "TiDB" };
const column = head.indexOf(titles[engine]);
const documented = Object.fromEntries(rows.map((row) => [row[0] ?? "", row[column] ?? ""]));
const before = Object.fromEntries(rows.map((row) => [row[0] ?? "", row.at(-1) ?? ""]));

let proxy: CountingProxy;
/** With runs, and with a restore after each statement. */
let gateway: Gateway;
let always: Gateway;
/** Bytes to the server. */
let sent = 0;
const repetitions = 5;

beforeAll(async () => {
  proxy = await startProxy({
    meddle: () => ({
      fromClient(chunk) {
        sent += chunk.length;
      },
      fromServer: (chunk) => chunk,
    }),
  });
  const start = (more: Record<string, unknown>) =>
    startGateway({
      entry: "counted",
      cluster: { hosts: [`localhost:${proxy.port}`] },
      accounts: { analyst: testAccount("analyst", { connections_per_shard: 1, ...more }) },
    });
  gateway = await start({});
  always = await start({ restore: "always" });
});
afterAll(async () => {
  await always?.close();
  await gateway?.close();
  await proxy?.stop();
});

async function tallies(of: Gateway, method: "GET" | "DELETE" = "GET"): Promise<Record<Place, Tally>> {
  return (await (await of.fetch("/test/counts", { method })).json()) as Record<Place, Tally>;
}

/** @returns the tallies when nothing more is done */
async function settled(of: Gateway): Promise<Record<Place, Tally>> {
  for (let before = ""; ; ) {
    const now = await tallies(of);
    if (JSON.stringify(now) === before) return now;
    before = JSON.stringify(now);
    await sleep(50);
  }
}

/** Asks once, and waits until nothing is left to do. */
async function ask(of: Gateway, token: string) {
  await tallies(of, "DELETE");
  sent = 0;
  const mark = proxy.mark();
  const headers = { authorization: `Bearer ${token}` };
  const { status, body } = await read(await of.fetch("/v1/queries/country?code=US", { headers }));
  expect({ status, rows: body.rows?.length }).toEqual({ status: 200, rows: 1 });
  const counted = await settled(of);
  const commands = mark.commands.map(({ command }) => command);
  return { commands, roundTrips: mark.roundTrips, bytes: sent, ...counted };
}
type Asked = Awaited<ReturnType<typeof ask>>;

/**
 * Repeats a read with a token that is remembered, and so with a new token each time, since one is remembered for a
 * minute only.
 * @param fits whether it is such a read as the table is about
 */
async function repeat(of: Gateway, fits: (one: Asked) => boolean): Promise<Asked[]> {
  // The window of the hot statements is full after that.
  const first = await of.token({ iss: issuers.fixed });
  for (let i = 0; i < limits.hotStatementWindow; i++) await ask(of, first);
  const all: Asked[] = [];
  for (let tries = 0; all.length < repetitions && tries < 100; tries++) {
    const token = await of.token({ iss: issuers.fixed });
    await ask(of, token);
    const one = await ask(of, token);
    if (fits(one)) all.push(one);
  }
  expect(all).toHaveLength(repetitions);
  return all;
}

/** By the names of the table's rows; "Worker + object" where both have a figure. */
function figures({ roundTrips, bytes, worker, object }: Asked) {
  const both = (kind: keyof Tally) => `${worker[kind]} + ${object[kind]}`;
  return {
    "round trips": String(roundTrips),
    "writes to the socket": String(object.socketWrites),
    "reads from the socket": String(object.answerReads),
    "bytes to the server": String(bytes),
    restores: String(object.restores),
    "objects asked": String(object.objectsAsked),
    "`Response`": both("responses"),
    "`JSON.stringify`": both("stringified"),
    digests: both("digests"),
    UUIDs: both("uuids"),
    "`Error`": both("errors"),
    "promises made by name": both("promises"),
    "timers set": both("timers"),
    "platform timers cleared": both("timersCleared"),
    "log lines": both("logLines"),
  };
}

/** @returns every row with what the document has, what was counted, and what it was before */
function table(counted: Record<string, string>): string {
  const names = [...new Set([...Object.keys(counted), ...Object.keys(documented)])];
  const line = (name: string, ...cells: string[]) =>
    `${name.padEnd(48)}${cells.map((cell) => cell.padEnd(12)).join("")}`;
  const lines = names.map((name) => {
    const [was = "-", is = "-"] = [documented[name], counted[name]];
    return line(name, was, is, before[name] ?? "-", was === is ? "" : "differs");
  });
  return `\n${[line(`a hot read, ${titles[engine]}`, "document", "counted", "before"), ...lines].join("\n")}\n`;
}

test("a hot read with a remembered token does exactly what the document says, each time", async () => {
  const opening = await ask(gateway, await gateway.token({ iss: issuers.fixed }));
  // The login clears a timer and is long: the counters that are 0 in the table, or small, do count.
  expect(opening.object.timersCleared).toBeGreaterThan(0);
  expect(opening.object.socketWrites).toBeGreaterThan(4);
  const reads = await repeat(gateway, ({ commands }) => commands.length === 1);
  const restored = await repeat(always, ({ commands }) => !commands.includes("COM_PING"));
  for (const [at, one] of reads.entries()) {
    const { roundTrips, bytes, object, commands } = restored[at] as Asked;
    expect(commands.slice(0, 2)).toEqual(["COM_STMT_EXECUTE", "COM_RESET_CONNECTION"]);
    const counted = {
      ...figures(one),
      "with its restore: round trips": String(roundTrips),
      "with its restore: writes to the socket": String(object.socketWrites),
      "with its restore: bytes to the server": String(bytes),
      "with its restore: restores": String(object.restores),
    };
    expect(one.commands).toEqual(["COM_STMT_EXECUTE"]);
    expect(counted, table(counted)).toEqual(documented);
  }
});
