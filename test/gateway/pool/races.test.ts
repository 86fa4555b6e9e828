// Runs on mysql only: the gateway's own objects count.
import { randomUUID } from "node:crypto";
import { generateKeyPair, generateProof } from "dpop";
import { calculateJwkThumbprint, exportJWK } from "jose";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { createSigningKey, mint } from "../../../servers/issuer/issuer.ts";
import type { Answer, Gateway } from "../support/harness.ts";
import {
  audience,
  databaseServer,
  expectProblem,
  read,
  startGateway,
  testAccount,
} from "../support/harness.ts";

/** A hundred requests at once for each object that counts: exactly the allowed number passes. */

const issuer = "http://issuer.test/races";
const key = await createSigningKey();
const statement = "INSERT INTO notes (city_id, author, body) VALUES (1, 'races', ?)";

let gateway: Gateway;
let administrator: Connection;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
  const grant = { issuer, account: "editor", allow: ["sql:read", "sql:write", "transaction"] };
  gateway = await startGateway({
    accounts: { editor: testAccount("editor") },
    issuers: [{ issuer, audience, algorithms: ["ES256"], jwks: { keys: [key.publicJwk] }, dpop: "optional" }],
    grants: [
      { ...grant, claims: { role: "rated" }, rate: { requests: 5, window_s: 86_400 } },
      { ...grant, claims: { role: "few" }, max_concurrent: 3, deadline_ms: 60_000 },
      { ...grant, claims: { role: "free" } },
    ],
  });
});
afterAll(async () => {
  await gateway?.close();
  await administrator?.query("DELETE FROM world.notes WHERE author = 'races'");
  await administrator?.end();
});

interface Call {
  claims: Record<string, unknown>;
  path?: string;
  body?: unknown;
  headers?: Record<string, string>;
}

async function call({ claims, path = "/v1/sql", body = { sql: "SELECT 1" }, headers = {} }: Call) {
  const token = await mint(key, { iss: issuer, aud: audience, sub: "racer", ...claims });
  const own = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const init = { method: "POST", body: JSON.stringify(body), headers: { ...own, ...headers } };
  return await read(await gateway.fetch(path, init));
}

/** Sends the same call a hundred times at once. @returns the number of answers with each status */
async function race(one: () => Promise<Answer>) {
  const answers = await Promise.all(Array.from({ length: 100 }, one));
  const byStatus = Map.groupBy(answers, ({ status }) => status);
  const counts = Object.fromEntries([...byStatus].map(([status, all]) => [status, all.length]));
  return { answers, byStatus, counts };
}

test("the rate of two callers: five of each pass", async () => {
  const subjects = ["first", "second"];
  const races = subjects.map((sub) => race(() => call({ claims: { role: "rated", sub } })));
  for (const { counts, byStatus } of await Promise.all(races)) {
    expect(counts).toEqual({ 200: 5, 429: 95 });
    for (const refused of byStatus.get(429) ?? []) expectProblem(refused, 429, "rate_limited");
    const left = (byStatus.get(200) ?? []).map(({ headers }) => headers.get("ratelimit")?.split(";")[1]);
    expect(left.toSorted()).toEqual(["r=0", "r=1", "r=2", "r=3", "r=4"]);
  }
});

test("a proof of possession: one passes", async () => {
  const pair = await generateKeyPair("ES256", { extractable: true });
  const jkt = await calculateJwkThumbprint(await exportJWK(pair.publicKey));
  const token = await mint(key, { iss: issuer, aud: audience, sub: "s", role: "free", cnf: { jkt } });
  const { origin } = new URL(gateway.url);
  const send = async (nonce?: string, dpop?: string) => {
    const proof = dpop ?? (await generateProof(pair, `${origin}/v1/sql`, "POST", nonce, token));
    const headers = { authorization: `DPoP ${token}`, "content-type": "application/json", dpop: proof };
    const body = JSON.stringify({ sql: "SELECT 1" });
    return await read(await gateway.fetch("/v1/sql", { method: "POST", body, headers }));
  };
  const nonce = (await send()).headers.get("dpop-nonce") ?? "";
  const proof = await generateProof(pair, `${origin}/v1/sql`, "POST", nonce, token);
  const { counts, byStatus } = await race(() => send(nonce, proof));
  expect(counts).toEqual({ 200: 1, 401: 99 });
  for (const refused of byStatus.get(401) ?? []) expectProblem(refused, 401, "proof_invalid");
});

test("an Idempotency-Key: one is executed", async () => {
  const text = `races ${randomUUID()}`;
  const headers = { "idempotency-key": `"${randomUUID()}"` };
  const body = { sql: statement, params: [text] };
  const { answers } = await race(() => call({ claims: { role: "free" }, body, headers }));
  const first = answers.filter(
    ({ status, headers }) => status === 200 && !headers.has("idempotency-replayed"),
  );
  expect(first).toHaveLength(1);
  for (const { status, headers, body } of answers) {
    if (status !== 200) expect(body.code).toBe("idempotency_in_flight");
    else if (headers.has("idempotency-replayed")) expect(body).toEqual(first[0]?.body);
  }
  const [rows] = await administrator.query<RowDataPacket[]>("SELECT id FROM world.notes WHERE body = ?", [
    text,
  ]);
  expect(rows).toHaveLength(1);
});

test("transactions of one caller: two begin", async () => {
  const claims = { role: "free", sub: "transactions" };
  const { counts, byStatus } = await race(() => call({ claims, path: "/v1/transactions", body: {} }));
  expect(counts).toEqual({ 201: 2, 429: 98 });
  for (const { body } of byStatus.get(201) ?? []) {
    expect((await call({ claims, path: `/v1/transactions/${body.id}/commit`, body: {} })).status).toBe(200);
  }
});

test("statements of one grant: three run", async () => {
  const text = `races ${randomUUID()}`;
  await administrator.query("LOCK TABLES world.notes WRITE");
  let refused = 0;
  const raced = race(async () => {
    const answer = await call({ claims: { role: "few" }, body: { sql: statement, params: [text] } });
    if (answer.status === 429) refused += 1;
    return answer;
  });
  // None of the three ends before all others have been refused.
  await expect
    .poll(() => refused, { timeout: 50_000 })
    .toBe(97)
    .finally(() => administrator.query("UNLOCK TABLES"));
  const { counts } = await raced;
  expect(counts).toEqual({ 200: 3, 429: 97 });
});
