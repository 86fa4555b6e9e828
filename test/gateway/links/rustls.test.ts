import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { createAuthority } from "../../../servers/pki.ts";
import type * as Harness from "../support/harness.ts";
import type { Gateway } from "../support/harness.ts";
import { clockOf } from "../support/world.ts";

/** The engine's real server through the link rustls, on a runtime that does not trust the server's CA. */
const server = inject("server");
const directory = mkdtempSync(join(tmpdir(), "tidegate-rustls-"));
let harness: typeof Harness;
let gateway: Gateway;

beforeAll(async () => {
  const unrelated = join(directory, "unrelated.pem");
  writeFileSync(unrelated, (await createAuthority("Unrelated CA")).certificate);
  // wrangler reads this when it is loaded, so the harness must be loaded later.
  process.env.NODE_EXTRA_CA_CERTS = unrelated;
  harness = await import("../support/harness.ts");
  gateway = await harness.startGateway({ bundle: server.ca, entry: "clock" });
});
afterAll(async () => {
  await gateway?.close();
  rmSync(directory, { recursive: true });
});

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const events = (name: string) => gateway.logs().filter(({ message }) => message.includes(`"${name}"`));

describe("a real server whose CA only the bundle has", () => {
  test("is refused by the platform link: the runtime does not trust it", async () => {
    const other = await harness.startGateway();
    const answer = await other.sql({ sql: "SELECT 1" });
    await other.close();
    harness.expectProblem(answer, 503, "database_tls_failed");
  });

  test("answers: MariaDB takes ChaCha20, asked for first; MySQL goes by its own order", async () => {
    const { status, body } = await gateway.sql({ sql: "SHOW SESSION STATUS LIKE 'Ssl_cipher'" });
    expect(status).toBe(200);
    expect(body.rows[0].Value).toMatch(inject("engine") === "mariadb" ? /CHACHA20/ : /CHACHA20|GCM/);
  });

  test("reads a parameter of many records as it was sent", async () => {
    const text = "Añ水".repeat(100_000);
    const { status, body } = await gateway.sql({ sql: "SELECT SHA2(?, 256) AS digest", params: [text] });
    expect({ status, digest: body.rows?.[0]?.digest }).toEqual({ status: 200, digest: sha256(text) });
  });

  test("sends 10 MB right, to a reader that is slower than the server", async () => {
    const response = await gateway.fetch("/v1/sql", {
      method: "POST",
      headers: {
        authorization: `Bearer ${await gateway.token({ role: "analyst" })}`,
        "content-type": "application/json",
      },
      body: JSON.stringify({
        sql: "SELECT id, SHA2(id, 256) AS digest, REPEAT(SHA2(id, 512), 16) AS filler FROM cities ORDER BY id",
      }),
    });
    const chunks: Uint8Array[] = [];
    for await (const chunk of response.body as ReadableStream<Uint8Array>) {
      if (chunks.push(chunk) % 50 === 1) await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const text = Buffer.concat(chunks).toString("utf8");
    expect(text.length).toBeGreaterThan(10_000_000);
    const { rows } = JSON.parse(text) as { rows: { id: number; digest: string; filler: string }[] };
    expect(rows).toHaveLength(5_000);
    const sha512 = (value: string) => createHash("sha512").update(value).digest("hex");
    const wrong = rows.filter(
      ({ id, digest, filler }) => digest !== sha256(`${id}`) || filler !== sha512(`${id}`).repeat(16),
    );
    expect(wrong).toEqual([]);
  });

  test("a value meets columns as through the platform's link", async () => {
    const ask = (sql: string, value: unknown) => gateway.sql({ sql, params: [value] });
    const byName = "SELECT code FROM countries WHERE name = ?";
    for (let time = 0; time < 2; time++) {
      const { status, body } = await ask(byName, 0);
      if (inject("engine") === "mysql") expect([status, body.rows]).toEqual([200, []]);
      else expect([status, body.reason]).toEqual([400, "compared_with_text"]);
      const text = await ask("SELECT code FROM countries WHERE area_km2 = ?", "6-4f3a");
      expect([text.status, text.body.reason]).toEqual([400, "compared_with_number"]);
    }
  });

  test("keeps concurrent connections apart", async () => {
    const numbers = Array.from({ length: 30 }, (_, i) => i);
    const answers = await Promise.all(
      numbers.map((n) =>
        gateway.sql({ sql: "SELECT ? AS n, CONNECTION_ID() AS c, SLEEP(0.02)", params: [n] }),
      ),
    );
    expect(answers.map(({ body }) => Number(body.rows[0].n))).toEqual(numbers);
    expect(new Set(answers.map(({ body }) => body.rows[0].c)).size).toBeGreaterThan(1);
  });

  test("may close a connection: that is noticed, and the next statement has another one", async () => {
    const sql = { sql: "SELECT CONNECTION_ID() AS c" };
    const before = events("connection_closed").length;
    const first = (await gateway.sql(sql)).body.rows[0].c;
    const administrator = await connectAdministrator(harness.databaseServer());
    try {
      const [rows] = await administrator.query(
        "SELECT id FROM information_schema.processlist WHERE user LIKE ?",
        ["gw\\_%"],
      );
      for (const row of rows as Record<string, number>[]) {
        await administrator.query(`KILL ${Object.values(row)[0]}`);
      }
    } finally {
      await administrator.end();
    }
    await expect.poll(() => events("connection_closed").length).toBeGreaterThan(before);
    const second = await gateway.sql(sql);
    expect(second.status).toBe(200);
    expect(second.body.rows[0].c).not.toBe(first);
  });

  test("is resumed by the next connection, for 10 minutes after its certificate was looked at", async () => {
    const clock = clockOf(gateway);
    const count = async () => {
      const authorization = `Bearer ${await gateway.token({ role: "operator" })}`;
      const text = await (await gateway.fetch("/metrics", { headers: { authorization } })).text();
      const name = `tidegate_pool_tls_handshakes_total{account="analyst",shard="0",kind="resumed"} `;
      return Number(
        text
          .split("\n")
          .find((line) => line.startsWith(name))
          ?.slice(name.length),
      );
    };
    /** @returns how many sessions a new connection has resumed; MySQL's own counter must agree */
    const reused = async () => {
      const before = await count();
      expect((await gateway.sql({}, { path: "/v1/drain", role: "operator" })).status).toBe(200);
      const { body } = await gateway.sql({ sql: "SHOW SESSION STATUS LIKE 'Ssl_sessions_reused'" });
      const resumed = (await count()) - before;
      if (inject("engine") === "mysql") expect(Number(body.rows[0].Value)).toBe(resumed);
      return resumed;
    };
    // Every existing session is too old now.
    await clock.pass(20 * 60_000);
    expect(await reused()).toBe(0);
    expect(await reused()).toBe(1);
    // MySQL's tickets are valid for 5 minutes.
    await clock.pass(4 * 60_000);
    expect(await reused()).toBe(1);
    await clock.pass(4 * 60_000);
    expect(await reused()).toBe(1);
    // The session was resumed a moment ago, but its chain was verified 12 minutes ago.
    await clock.pass(4 * 60_000);
    expect(await reused()).toBe(0);
    expect(await reused()).toBe(1);
  });

  test("takes writes", async () => {
    const written = await gateway.sql(
      { sql: "DELETE FROM notes WHERE author = 'nobody'" },
      { role: "editor" },
    );
    expect({ status: written.status, rows: written.body.rows_affected }).toEqual({ status: 200, rows: 0 });
  });
});
