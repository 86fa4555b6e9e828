// Runs on mariadb only: the gateway's own objects keep the keys and the answers.
import { createHash, randomUUID } from "node:crypto";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { mint } from "../../../servers/issuer/issuer.ts";
import { lineOf } from "../support/ask.ts";
import type { Answer, Gateway } from "../support/harness.ts";
import {
  audience,
  databaseServer,
  expectProblem,
  issuers,
  read,
  startGateway,
  testAccount,
} from "../support/harness.ts";

let gateway: Gateway;
let administrator: Connection;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  const allow = ["query:*", "sql:read", "sql:write", "transaction"];
  const { remote, fixed } = issuers;
  gateway = await startGateway({
    queries: [
      {
        name: "note-of-tenant.sql",
        text: "INSERT INTO notes (city_id, author, body) VALUES (1, 'once', :jwt.tenant)",
      },
    ],
    accounts: { editor: testAccount("editor"), other: testAccount("editor") },
    grants: [
      { issuer: remote, claims: { role: "editor" }, account: "editor", allow },
      { issuer: remote, claims: { role: "editor" }, account: "other", allow },
      { issuer: remote, claims: { role: "tenants" }, account: "editor", allow },
      { issuer: fixed, account: "editor", allow },
      { issuer: remote, claims: { role: "single" }, account: "editor", allow, max_concurrent: 1 },
      { issuer: remote, claims: { role: "reader" }, account: "editor", allow: ["sql:read"] },
    ],
  });
});
afterAll(async () => {
  await gateway?.close();
  await administrator?.query("DELETE FROM world.notes WHERE author = 'once'");
  await administrator?.end();
});

interface Sent {
  key?: string;
  path?: string;
  claims?: Record<string, unknown>;
  headers?: Record<string, string>;
}

/** Sends a request as the editor, with a new token each time. */
async function send(
  body: unknown,
  { key, path = "/v1/sql", claims = {}, headers = {} }: Sent = {},
): Promise<Answer> {
  const whose = { iss: issuers.remote, aud: audience, sub: "someone", role: "editor", ...claims };
  const response = await gateway.fetch(path, {
    method: "POST",
    body: JSON.stringify(body),
    headers: {
      authorization: `Bearer ${await mint(gateway.key, whose)}`,
      "content-type": "application/json",
      ...(key === undefined ? {} : { "idempotency-key": key }),
      ...headers,
    },
  });
  return await read(response);
}

const newKey = () => `"${randomUUID()}"`;
/** A text that no other test writes. */
const newBody = () => `once ${randomUUID()}`;

const note = (body: string) => ({
  sql: "INSERT INTO notes (city_id, author, body) VALUES (1, 'once', ?)",
  params: [body],
});

async function written(body: string): Promise<number> {
  const sql = "SELECT COUNT(*) AS n FROM world.notes WHERE body = ?";
  const [rows] = await administrator.query<RowDataPacket[]>(sql, [body]);
  return Number(rows[0]?.n);
}

/** Holds up every write of a note until `run` has ended. */
async function whileHeld(run: () => Promise<void>): Promise<void> {
  await administrator.query("LOCK TABLES world.notes WRITE");
  try {
    await run();
  } finally {
    await administrator.query("UNLOCK TABLES");
  }
}

/** The same as `note` with a text of its own: restores may prepare the text of `note`, and be held up too. */
const markedNote = (body: string) => ({
  sql: `INSERT INTO notes (city_id, author, body) SELECT 1, 'once', ? FROM (SELECT 1) AS ${markOf(body)}`,
  params: [body],
});
const markOf = (body: string) => `m${body.slice(-12)}`;

/** Waits until a note is held up. */
async function held(body: string): Promise<void> {
  const count = async () => {
    const [rows] = await administrator.query<RowDataPacket[]>("SHOW FULL PROCESSLIST");
    return rows.filter(
      ({ State, Info }) => /metadata lock/.test(State) && String(Info).includes(markOf(body)),
    ).length;
  };
  await expect.poll(count, { timeout: 10_000, interval: 20 }).toBe(1);
}

const isReplayed = ({ headers }: Answer) => headers.get("idempotency-replayed");

describe("the same request under the same key", () => {
  test("gets the first answer, and is executed once", async () => {
    const [key, body] = [newKey(), newBody()];
    const first = await send(note(body), { key });
    expect(first).toMatchObject({ status: 200, body: { rows_affected: 1 } });
    expect(isReplayed(first)).toBeNull();
    for (const spelling of [key, key.replaceAll('"', "")]) {
      const again = await send(note(body), { key: spelling });
      expect(again).toMatchObject({ status: 200, body: first.body });
      expect(isReplayed(again)).toBe("true");
      expect(again.headers.get("content-type")).toBe(first.headers.get("content-type"));
      expect(again.headers.get("cache-control")).toBe("no-store");
      expect(again.headers.get("x-request-id")).not.toBe(first.headers.get("x-request-id"));
      expect(await lineOf(gateway, again)).toMatchObject({ replayed: true, account: "editor" });
    }
    expect(await lineOf(gateway, first)).not.toHaveProperty("replayed");
    expect(await written(body)).toBe(1);
  });

  test("of a saved query", async () => {
    const [key, body, path] = [newKey(), newBody(), "/v1/queries/add-note"];
    const claims = { sub: "once" };
    const first = await send({ city_id: 1, body }, { key, path, claims });
    expect(first.status).toBe(200);
    const again = await send({ city_id: 1, body }, { key, path, claims });
    expect(again.body).toEqual(first.body);
    expect(isReplayed(again)).toBe("true");
    expect(await written(body)).toBe(1);
  });

  test("of a batch, with all its results", async () => {
    const [key, body, path] = [newKey(), newBody(), "/v1/batch"];
    const statements = [
      note(body),
      {
        sql: "SELECT id, body, NOW(6) AS at FROM notes WHERE id = ?",
        params: [{ $ref: "0.last_insert_id" }],
      },
    ];
    const first = await send({ statements }, { key, path });
    expect(first.body.results?.[1].rows).toMatchObject([{ body }]);
    const again = await send({ statements }, { key, path });
    expect(again.body).toEqual(first.body);
    expect(isReplayed(again)).toBe("true");
    expect(await written(body)).toBe(1);
  });

  test("twenty times at once: one is executed, the others are told to wait", async () => {
    const [key, body] = [newKey(), newBody()];
    const early: Answer[] = [];
    let all: Promise<Answer[]> | undefined;
    await whileHeld(async () => {
      const sent = Array.from({ length: 20 }, async () => {
        const answer = await send(note(body), { key });
        early.push(answer);
        return answer;
      });
      all = Promise.all(sent);
      await expect.poll(() => early.length, { timeout: 10_000 }).toBe(19);
      for (const answer of early) {
        expectProblem(answer, 409, "idempotency_in_flight");
        expect(answer.body.retryable).toBe(true);
        expect(answer.headers.get("retry-after")).toBe("1");
      }
    });
    const [first] = ((await all) ?? []).filter(({ status }) => status === 200);
    expect(await written(body)).toBe(1);
    const again = await send(note(body), { key });
    expect(again.body).toEqual(first?.body);
    expect(isReplayed(again)).toBe("true");
    expect(await written(body)).toBe(1);
  });

  test("after its object has ended in the middle: nothing is lost", async () => {
    const [key, body] = [randomUUID(), newBody()];
    const caller = createHash("sha256")
      .update(JSON.stringify([issuers.remote, "someone"]))
      .digest("base64url");
    const end = () => gateway.evict("IDEMPOTENCY", JSON.stringify(["development", "editor", caller, key]));
    let running: Promise<Answer> | undefined;
    await whileHeld(async () => {
      running = send(markedNote(body), { key });
      await held(body);
      await end();
      expectProblem(await send(markedNote(body), { key }), 409, "idempotency_in_flight");
      await end();
    });
    const first = await running;
    expect(first?.status).toBe(200);
    await end();
    const again = await send(markedNote(body), { key });
    expect(again.body).toEqual(first?.body);
    expect(isReplayed(again)).toBe("true");
    expect(await written(body)).toBe(1);
  });
});

describe("an error", () => {
  test("of the database is the answer, also when it would go well by now", async () => {
    const [key, body] = [newKey(), newBody()];
    const id = String(2n ** 40n + BigInt(Math.floor(Math.random() * 2 ** 40)));
    const insert = {
      sql: "INSERT INTO notes (id, city_id, author, body) VALUES (?, 1, 'once', ?)",
      params: [id, body],
    };
    expect((await send(insert)).status).toBe(200);
    const first = await send(insert, { key });
    expectProblem(first, 409, "sql_conflict");
    await administrator.query("DELETE FROM world.notes WHERE id = ?", [id]);
    const again = await send(insert, { key });
    expectProblem(again, 409, "sql_conflict");
    expect(isReplayed(again)).toBe("true");
    expect(again.body).toEqual({ ...first.body, request_id: again.headers.get("x-request-id") });
    expect(await lineOf(gateway, again)).toMatchObject({ code: "sql_conflict", replayed: true });
    expect(await written(body)).toBe(0);
    expect((await send(insert, { key: newKey() })).status).toBe(200);
  });

  test("that is retryable has done nothing, and frees the key", async () => {
    const [key, body] = [newKey(), newBody()];
    const claims = { role: "single" };
    const other = newBody();
    let running: Promise<Answer> | undefined;
    await whileHeld(async () => {
      running = send(markedNote(other), { claims });
      await held(other);
      expectProblem(await send(note(body), { key, claims }), 429, "concurrency_exceeded");
    });
    expect((await running)?.status).toBe(200);
    // Another request may use the key now.
    const changed = await send({ ...note(body), timeout_ms: 5_000 }, { key, claims });
    expect([changed.status, isReplayed(changed)]).toEqual([200, null]);
    expect(await written(body)).toBe(1);
  });

  test("before anything is executed leaves the key alone", async () => {
    const [key, body] = [newKey(), newBody()];
    expectProblem(await send({ sql: "INSERT", surplus: 1 }, { key }), 400, "body_invalid");
    expectProblem(await send({ sql: "SET @a = 1" }, { key }), 400, "statement_refused");
    expectProblem(await send(note(body), { key, claims: { role: "reader" } }), 403, "access_denied");
    expect((await send(note(body), { key })).status).toBe(200);
    // A caller who may no longer write does not get the kept answer.
    expectProblem(await send(note(body), { key, claims: { role: "reader" } }), 403, "access_denied");
  });
});

describe("another request under the same key", () => {
  test.each([
    ["body", (body: string) => [{ ...note(body), params: [`${body} changed`] }, {}]],
    ["query", (body: string) => [note(body), { path: "/v1/sql?rows=array" }]],
    ["path", (body: string) => [{ statements: [note(body)] }, { path: "/v1/batch" }]],
  ] as [string, (body: string) => [unknown, Sent]][])(
    "with another %s: 422, and nothing is executed",
    async (_, change) => {
      const [key, body] = [newKey(), newBody()];
      expect((await send(note(body), { key })).status).toBe(200);
      const [changed, sent] = change(body);
      const refused = await send(changed, { key, ...sent });
      expectProblem(refused, 422, "idempotency_key_reused");
      expect(JSON.stringify(refused.body)).not.toContain(key.replaceAll('"', ""));
      expect((await written(body)) + (await written(`${body} changed`))).toBe(1);
      expect(isReplayed(await send(note(body), { key }))).toBe("true");
    },
  );

  test("while the first one runs", async () => {
    const [key, body] = [newKey(), newBody()];
    let running: Promise<Answer> | undefined;
    await whileHeld(async () => {
      running = send(markedNote(body), { key });
      await held(body);
      expectProblem(await send(note(`${body} other`), { key }), 422, "idempotency_key_reused");
    });
    expect((await running)?.status).toBe(200);
    expect(await written(`${body} other`)).toBe(0);
  });
});

describe("the same key with another claim that the query binds", () => {
  const path = "/v1/queries/note-of-tenant";

  test("is another request: 422, and no tenant is told what another one was answered", async () => {
    const key = newKey();
    const tenants = [newBody(), newBody()] as const;
    const as = (tenant: string) => ({ key, path, claims: { role: "tenants", tenant } });
    const first = await send({}, as(tenants[0]));
    expect([first.status, isReplayed(first)]).toEqual([200, null]);
    const other = await send({}, as(tenants[1]));
    expectProblem(other, 422, "idempotency_key_reused");
    expect(isReplayed(other)).toBeNull();
    const again = await send({}, as(tenants[0]));
    expect([again.body, isReplayed(again)]).toEqual([first.body, "true"]);
    expect([await written(tenants[0]), await written(tenants[1])]).toEqual([1, 0]);
  });

  test("and with another one that it does not bind is the same request", async () => {
    const [key, tenant] = [newKey(), newBody()];
    const as = (department: number) => ({ key, path, claims: { role: "tenants", tenant, department } });
    expect((await send({}, as(1))).status).toBe(200);
    expect(isReplayed(await send({}, as(2)))).toBe("true");
    expect(await written(tenant)).toBe(1);
  });
});

test("the same key of another subject, issuer or account is another key", async () => {
  const [key, body] = [newKey(), newBody()];
  const whose: Sent[] = [
    {},
    { claims: { sub: "somebody else" } },
    { claims: { iss: issuers.fixed } },
    { headers: { "tidegate-account": "other" } },
  ];
  for (const [index, each] of whose.entries()) {
    const answer = await send(note(body), { key, ...each });
    expect([answer.status, isReplayed(answer)]).toEqual([200, null]);
    expect(await written(body)).toBe(index + 1);
    expect(isReplayed(await send(note(body), { key, ...each }))).toBe("true");
  }
  expect(await written(body)).toBe(whose.length);
});

describe("a key that cannot be honoured", () => {
  test.each([['""'], ['"a", "b"'], ["a b"], ['"a'], [""], ["x".repeat(256)]])("%j: 400", async (key) => {
    const body = newBody();
    expectProblem(await send(note(body), { key }), 400, "idempotency_key_invalid");
    expect(await written(body)).toBe(0);
  });

  test("of a token without a subject: 403", async () => {
    const body = newBody();
    const claims = { sub: undefined };
    expectProblem(await send(note(body), { key: newKey(), claims }), 403, "access_denied");
    expect(await written(body)).toBe(0);
    expect((await send(note(body), { claims })).status).toBe(200);
  });

  test("in a transaction over several requests: 400", async () => {
    const path = "/v1/transactions";
    expectProblem(await send({}, { key: newKey(), path }), 400, "idempotency_key_invalid");
    const { id } = (await send({}, { path })).body;
    const refused = await send(note(newBody()), { key: newKey(), path: `${path}/${id}/sql` });
    expectProblem(refused, 400, "idempotency_key_invalid");
    expectProblem(
      await send({}, { key: newKey(), path: `${path}/${id}/commit` }),
      400,
      "idempotency_key_invalid",
    );
    expect((await send({}, { path: `${path}/${id}/commit` })).status).toBe(200);
  });
});

test("what only reads is read again, whatever its key", async () => {
  const key = newKey();
  const statement = { sql: "SELECT UUID() AS u" };
  const requests: [unknown, Sent][] = [
    [statement, {}],
    [statement, { key: "no key, at all" }],
    [{ statements: [statement] }, { path: "/v1/batch" }],
    [{ country: "NZ" }, { path: "/v1/queries/cities-by-country" }],
  ];
  for (const [body, more] of requests) {
    const answers = [await send(body, { key, ...more }), await send(body, { key, ...more })];
    expect(answers.map((answer) => [answer.status, isReplayed(answer)])).toEqual([
      [200, null],
      [200, null],
    ]);
  }
});

describe("an answer with rows", () => {
  const locking = (characters: number, body: string) => ({
    sql: `SELECT REPEAT('x', ${characters}) AS x, UUID() AS u FROM notes WHERE body = ? FOR UPDATE`,
    params: [body],
  });

  test("that streams is kept whole", async () => {
    const [key, body] = [newKey(), newBody()];
    await send(note(body));
    const first = await send(locking(200_000, body), { key });
    expect(first.body.rows[0].x).toHaveLength(200_000);
    const again = await send(locking(200_000, body), { key });
    expect(again.body).toEqual(first.body);
    expect(isReplayed(again)).toBe("true");
  });

  test("that is too large to be kept is given once", async () => {
    const [key, body] = [newKey(), newBody()];
    await send(note(body));
    const first = await send(locking(2_000_000, body), { key });
    expect(first.body.rows[0].x).toHaveLength(2_000_000);
    const again = await send(locking(2_000_000, body), { key });
    expectProblem(again, 409, "idempotency_answer_not_kept");
    expect(again.body.retryable).toBe(false);
  });
});
