import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { expectProblem, read, startGateway } from "../support/harness.ts";
import type { ThroughHyperdrive } from "../support/through-hyperdrive.ts";
import {
  asAdministrator,
  bindings,
  grant,
  hyperdriveAccount,
  hyperdriveCluster,
  startStandIn,
  startThroughHyperdrive,
  written,
} from "../support/through-hyperdrive.ts";

let world: ThroughHyperdrive;
beforeAll(async () => {
  world = await startThroughHyperdrive({
    cluster: { connect_timeout_ms: 1_000 },
    grants: [grant("analyst", { max_rows: 100 }), grant("editor")],
  });
});
afterEach(() => {
  for (const standIn of Object.values(world.standIns)) standIn.react();
});
afterAll(() => world?.close());

const role = "editor";
const insert = (author: string) => ({
  sql: "INSERT INTO notes (city_id, author, body) VALUES (1, ?, '')",
  params: [author],
});

describe("deadlines and ceilings", () => {
  test("a read is ended by the server, with 504", async () => {
    const answer = await world.gateway.sql({
      sql: "SELECT COUNT(*) AS n FROM cities a, cities b, cities c WHERE a.name <> b.name",
    });
    expectProblem(answer, 504, "deadline_exceeded");
    await asAdministrator(async (administrator) => {
      const running = async () => {
        const [rows] = await administrator.query(
          "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'gw_analyst' AND INFO LIKE 'SELECT COUNT%'",
        );
        return (rows as unknown[]).length;
      };
      await expect.poll(running).toBe(0);
    });
  });

  test("a write that is over time is answered with 504 and never committed", async () => {
    const statement = insert("hyper-late");
    statement.sql = statement.sql.replace("VALUES (1, ?, '')", "SELECT 1, ?, SLEEP(3)");
    const started = Date.now();
    const answer = await world.gateway.sql(statement, { role });
    expectProblem(answer, 504, "deadline_exceeded");
    expect(Date.now() - started).toBeLessThan(2_500);
    // The server notices only after the statement that its client has gone.
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(await written("hyper-late")).toBe(0);
  });

  test("a Hyperdrive that answers nothing is a deadline too", async () => {
    world.standIns.analyst.react((sql) => (sql.includes("hanging") ? "hang" : "forward"));
    expectProblem(await world.gateway.sql({ sql: "SELECT 'hanging' AS v" }), 504, "deadline_exceeded");
  });

  test("a read may have so many rows and no more", async () => {
    const answer = await world.gateway.sql({ sql: "SELECT id FROM cities" });
    expectProblem(answer, 413, "result_too_large");
  });
});

describe("a connection that breaks", () => {
  test.each([
    ["before the statement", "START"],
    ["in the statement", "INSERT"],
  ])("%s: a write that was not committed is not there", async (when, verb) => {
    world.standIns.editor.react((sql) => (sql.startsWith(verb) ? "cut" : "forward"));
    const answer = await world.gateway.sql(insert("hyper-cut"), { role });
    const code = when === "before the statement" ? "connection_lost" : "outcome_unknown";
    expectProblem(answer, 503, code);
    expect(await written("hyper-cut")).toBe(0);
  });

  test("in the COMMIT: outcome_unknown, and here it was", async () => {
    world.standIns.editor.react((sql) => (sql === "COMMIT" ? "cut-reply" : "forward"));
    expectProblem(await world.gateway.sql(insert("hyper-commit"), { role }), 503, "outcome_unknown");
    expect(await written("hyper-commit")).toBe(1);
  });

  test("a COMMIT that is not answered in time is outcome_unknown, not a deadline", async () => {
    world.standIns.editor.react((sql) => (sql === "COMMIT" ? "hang" : "forward"));
    expectProblem(await world.gateway.sql(insert("hyper-hang"), { role }), 503, "outcome_unknown");
    expect(await written("hyper-hang")).toBe(0);
  });

  test("in a read: connection_lost, which may be sent again", async () => {
    world.standIns.analyst.react((sql) => (sql.includes("lost") ? "cut" : "forward"));
    const answer = await world.gateway.sql({ sql: "SELECT 'lost' AS v" });
    expectProblem(answer, 503, "connection_lost");
    expect(answer.body.retryable).toBe(true);
  });

  test("a read is answered although its COMMIT gets no answer", async () => {
    world.standIns.analyst.react((sql) => (sql === "COMMIT" ? "cut" : "forward"));
    expect((await world.gateway.sql({ sql: "SELECT 'heard' AS v" })).body.rows).toEqual([{ v: "heard" }]);
  });
});

test("/readyz says within seconds that Hyperdrive answers nothing", async () => {
  world.standIns.editor.react(() => "hang");
  const answer = await read(await world.gateway.fetch("/readyz"));
  expectProblem(answer, 503, "database_unavailable");
});

describe("Hyperdrive's own errors", () => {
  test.each([
    ["Failed to acquire a connection from the pool.", "START", "database_unreachable"],
    ["Server connection attempt failed: connection_refused", "START", "database_unreachable"],
    ["Internal error.", "INSERT", "outcome_unknown"],
    ["Internal error.", "COMMIT", "outcome_unknown"],
  ])("%s at %s: %s", async (message, verb, code) => {
    world.standIns.editor.react((sql) => (sql.startsWith(verb) ? { errno: 1105, message } : "forward"));
    expectProblem(await world.gateway.sql(insert("hyper-own"), { role }), 503, code);
    expect(await written("hyper-own")).toBe(0);
  });

  test("a server that Hyperdrive cannot log in to, and a Hyperdrive that is not there", async () => {
    const analyst = await startStandIn("analyst");
    const editor = await startStandIn("editor");
    const other = await startGateway({
      cluster: { ...hyperdriveCluster, connect_timeout_ms: 1_000 },
      accounts: { analyst: hyperdriveAccount("analyst"), editor: hyperdriveAccount("editor") },
      hyperdrive: {
        [bindings.analyst]: analyst.connectionString.replace(
          /:[0-9a-f]{24}@/,
          ":another-password-than-that@",
        ),
        [bindings.editor]: editor.connectionString,
      },
    });
    try {
      expectProblem(await other.sql({ sql: "SELECT 1 AS one" }), 503, "database_login_failed");
      await editor.stop();
      expectProblem(await other.sql({ sql: "SELECT 1 AS one" }, { role }), 503, "database_unreachable");
    } finally {
      await other.close();
      await analyst.stop();
    }
  });
});
