import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { packageRoot } from "../../../cli/project/paths.ts";
import type { Engine } from "../../../servers/database/engines.ts";
import type { CountingProxy } from "../../../servers/wire/proxy.ts";
import type { Place, Tally } from "../support/entries/counters.ts";
import type { Gateway } from "../support/harness.ts";
import { engine, issuers, read, startGateway, startProxy, testAccount } from "../support/harness.ts";

/**
 * The table of docs/performance.md, "What a hot read does, counted": each figure must be exactly what is counted here.
 * A change that makes one smaller writes the smaller one there.
 */

const document = readFileSync(join(packageRoot, "docs", "performance.md"), "utf8");
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
const aims = Object.fromEntries(rows.map((row) => [row[0] ?? "", row.at(-1) ?? ""]));

let gateway: Gateway;
let proxy: CountingProxy;
/** Bytes to the server: before the first ones from it, and after them. */
const sent = { first: 0, later: 0, isAnswered: false };
const repetitions = 5;

beforeAll(async () => {
  proxy = await startProxy({
    meddle: () => ({
      fromClient(chunk) {
        sent[sent.isAnswered ? "later" : "first"] += chunk.length;
      },
      fromServer(chunk) {
        sent.isAnswered = true;
        return chunk;
      },
    }),
  });
  gateway = await startGateway({
    entry: "counted",
    cluster: { hosts: [`localhost:${proxy.port}`] },
    accounts: { analyst: testAccount("analyst", { connections_per_shard: 1 }) },
  });
});
afterAll(async () => {
  await gateway?.close();
  await proxy?.stop();
});

async function tallies(method: "GET" | "DELETE" = "GET"): Promise<Record<Place, Tally>> {
  return (await (await gateway.fetch("/test/counts", { method })).json()) as Record<Place, Tally>;
}

/** Asks once, and waits until the connection's session is restored: nothing is left to do then. */
async function ask(token: string) {
  await tallies("DELETE");
  Object.assign(sent, { first: 0, later: 0, isAnswered: false });
  const mark = proxy.mark();
  const headers = { authorization: `Bearer ${token}` };
  const { status, body } = await read(await gateway.fetch("/v1/queries/country?code=US", { headers }));
  expect({ status, rows: body.rows?.length }).toEqual({ status: 200, rows: 1 });
  await expect.poll(async () => (await tallies()).object.restores).toBe(1);
  const commands = mark.commands.map(({ command }) => command);
  return { commands, roundTrips: mark.roundTrips, bytes: { ...sent }, ...(await tallies()) };
}

/** By the names of the table's rows; "Worker + object" where both have a figure. */
function figures({ roundTrips, bytes, worker, object }: Awaited<ReturnType<typeof ask>>) {
  const both = (kind: keyof Tally) => `${worker[kind]} + ${object[kind]}`;
  return {
    "round trips": String(roundTrips),
    "writes to the socket": String(object.socketWrites),
    "reads from the socket, up to the answer's end": String(object.answerReads),
    "bytes to the server, EXECUTE": String(bytes.first),
    "bytes to the server, restore": String(bytes.later),
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

/** @returns every row with what the document has, what was counted, and the aim */
function table(counted: Record<string, string>): string {
  const names = [...new Set([...Object.keys(counted), ...Object.keys(documented)])];
  const line = (name: string, ...cells: string[]) =>
    `${name.padEnd(48)}${cells.map((cell) => cell.padEnd(12)).join("")}`;
  const lines = names.map((name) => {
    const [was = "-", is = "-"] = [documented[name], counted[name]];
    return line(name, was, is, aims[name] ?? "-", was === is ? "" : "differs");
  });
  return `\n${[line(`a hot read, ${titles[engine]}`, "document", "counted", "aim"), ...lines].join("\n")}\n`;
}

test("a hot read with a remembered token does exactly what the document says, each time", async () => {
  const opening = await ask(await gateway.token({ iss: issuers.fixed }));
  // The login clears a timer and is long: the counters that are 0 in the table, or small, do count.
  expect(opening.object.timersCleared).toBeGreaterThan(0);
  expect(opening.object.socketWrites).toBeGreaterThan(4);
  await ask(await gateway.token({ iss: issuers.fixed }));
  const all: Awaited<ReturnType<typeof ask>>[] = [];
  for (let tries = 0; all.length < repetitions && tries < 3 * repetitions; tries++) {
    // Remembered for a minute only, so each has its own.
    const token = await gateway.token({ iss: issuers.fixed });
    await ask(token);
    const one = await ask(token);
    // A machine that stood still for 5 s: an idle connection is asked whether it is alive.
    if (!one.commands.includes("COM_PING")) all.push(one);
  }
  expect(all).toHaveLength(repetitions);
  for (const one of all) {
    const counted = figures(one);
    expect(one.commands[0]).toBe("COM_STMT_EXECUTE");
    expect(counted, table(counted)).toEqual(documented);
    // At most a read for each answer of the restore: how many come together is the network's choice.
    expect(one.object.restoreReads).toBeLessThan(one.commands.length);
  }
});
