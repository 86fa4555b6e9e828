import { setTimeout as sleep } from "node:timers/promises";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { expect } from "vitest";
import type { Answer, Gateway } from "../support/harness.ts";
import { expectProblem } from "../support/harness.ts";
import { question } from "../support/hostility.ts";

/** Callers who read and write without a pause, and the answer to each request. */
export interface Load {
  /** The number of requests so far. */
  readonly reads: number;
  readonly writes: number;
  /** Stops the load, and waits for every open request. */
  stop(): Promise<Told>;
}

/** The answers to the callers, to be compared with the rows in the database. */
export interface Told {
  reads: Answer[];
  writes: Write[];
}

/** Rows that were written together, and the answer to the request that should make them permanent. */
interface Write {
  way: Way;
  notes: string[];
  answer: Answer;
}

const readers = 4;
/** One writer for each way to write. */
const ways = ["sql", "query", "batch", "transaction"] as const;
type Way = (typeof ways)[number];

/** The pause of a caller after a failure, so that a stopped server does not get a thousand requests. */
const pauseMs = 20;

export const insert =
  "INSERT INTO notes (city_id, author, body) SELECT id, 'restarted', ? FROM cities ORDER BY id LIMIT 1";
const editor = { role: "editor" };

/** Four readers and four writers, until they are stopped. */
export function startLoad(gateway: Gateway): Load {
  const told: Told = { reads: [], writes: [] };
  const mark = `restarted ${process.pid} ${Date.now()}`;
  let isOver = false;
  const read = async () => {
    while (!isOver) {
      const { sql, params, rows } = question();
      const answer = await gateway.sql({ sql, params });
      told.reads.push(answer);
      if (answer.status === 200) expect(answer.body.rows).toEqual(rows);
      else await sleep(pauseMs);
    }
  };
  const write = async (way: Way) => {
    while (!isOver) {
      const index = told.writes.length;
      const notes = [1, 2].map((row) => `${mark} ${way} ${index} ${row}`).slice(0, rowsOf[way]);
      const answer = await send[way](gateway, notes);
      told.writes.push({ way, notes, answer });
      if (answer.status !== 200) await sleep(pauseMs);
    }
  };
  const running = Promise.all([...Array.from({ length: readers }, read), ...ways.map(write)]);
  // A reader who got another caller's rows is reported when the load is stopped.
  running.catch(() => {});
  return {
    get reads() {
      return told.reads.length;
    },
    get writes() {
      return told.writes.length;
    },
    stop: async () => {
      isOver = true;
      await running;
      return told;
    },
  };
}

const rowsOf: Record<Way, number> = { sql: 1, query: 1, batch: 2, transaction: 2 };

const send: Record<Way, (gateway: Gateway, notes: string[]) => Promise<Answer>> = {
  sql: (gateway, params) => gateway.sql({ sql: insert, params }, editor),
  query: (gateway, [body]) => gateway.sql({ city_id: 1, body }, { ...editor, path: "/v1/queries/add-note" }),
  batch: (gateway, notes) => {
    const statements = notes.map((note) => ({ sql: insert, params: [note] }));
    return gateway.sql({ statements }, { ...editor, path: "/v1/batch" });
  },
  transaction: async (gateway, notes) => {
    const post = (path: string, body: unknown) =>
      gateway.sql(body, { ...editor, path: `/v1/transactions${path}` });
    const begun = await post("", {});
    if (begun.status !== 201) return begun;
    const { id } = begun.body;
    for (const note of notes) {
      const answer = await post(`/${id}/sql`, { sql: insert, params: [note] });
      if (answer.status !== 200) return answer;
    }
    return await post(`/${id}/commit`, {});
  },
};

/**
 * Expects that every answer was true: an acknowledged row is there once, a failed one is not there, and
 * rows that were written together are there together. Reads may be repeated.
 * @returns the number of writes with each outcome, for each way to write
 */
export async function expectTrue(
  { reads, writes }: Told,
  administrator: Connection,
): Promise<Record<string, number>> {
  for (const { status, body } of reads) {
    if (status === 200) continue;
    const { retryable, code } = body;
    expect({ status, retryable, code }).toMatchObject({ status: 503, retryable: true });
  }
  const there = await notesThere(administrator);
  const outcomes: Record<string, number> = {};
  for (const { way, notes, answer } of writes) {
    const outcome = answer.status === 200 ? "200" : answer.body.code;
    outcomes[`${way} ${outcome}`] = (outcomes[`${way} ${outcome}`] ?? 0) + 1;
    const found = { way, outcome, counts: notes.map((note) => there.get(note) ?? 0) };
    const all = (count: number) => ({ way, outcome, counts: notes.map(() => count) });
    if (answer.status === 200) expect(found).toEqual(all(1));
    else if (outcome === "outcome_unknown") {
      expectProblem(answer, 503, "outcome_unknown");
      expect(answer.body.retryable).toBe(false);
      expect([all(0), all(1)]).toContainEqual(found);
    } else {
      // The caller was told that the write failed or may be sent again, so its row must be absent.
      expect(found).toEqual(all(0));
      expect(answer.status).toBe(503);
    }
  }
  return outcomes;
}

async function notesThere(administrator: Connection): Promise<Map<string, number>> {
  const [rows] = await administrator.query<RowDataPacket[]>(
    "SELECT body, COUNT(*) AS n FROM world.notes WHERE body LIKE 'restarted %' GROUP BY body",
  );
  return new Map(rows.map(({ body, n }) => [String(body), Number(n)]));
}
