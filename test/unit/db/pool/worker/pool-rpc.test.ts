import { describe, expect, test } from "vitest";
import type { Bindings } from "../../../../../src/application.ts";
import type { Config } from "../../../../../src/config/config.ts";
import type { BackendContext } from "../../../../../src/db/contract/backend.ts";
import type { ExecuteRequest } from "../../../../../src/db/contract/requests.ts";
import type { WireAnswer } from "../../../../../src/db/pool/messages/pool-answer.ts";
import { encodeAnswer, encodeError } from "../../../../../src/db/pool/messages/pool-answer.ts";
import type { PoolRequest } from "../../../../../src/db/pool/messages/protocol.ts";
import { protocolVersion } from "../../../../../src/db/pool/messages/protocol.ts";
import { PoolBackend } from "../../../../../src/db/pool/worker/pool-backend.ts";
import { TidegateError } from "../../../../../src/errors.ts";
import { limits } from "../../../../../src/limits.ts";

/** workerd cannot simulate an unreachable shard, so the test provides the way to the shards. */

interface Call extends PoolRequest {
  shard: string;
}

/** @param answer returns the answer of a shard, or throws, by its name `account/…/shard` */
function context(answer: (shard: string) => WireAnswer, password = "a password", cluster: object = {}) {
  const calls: Call[] = [];
  const namespace = {
    idFromName: (name: string) => name,
    get: (name: string) => ({
      run: async (message: string) => {
        calls.push({ ...JSON.parse(message), shard: name });
        return answer(name);
      },
    }),
  };
  const config = {
    environment: "test",
    generation: "g".repeat(64),
    cluster: { engine: "mysql", ...cluster },
    accounts: new Map([
      ["analyst", account("analyst", 3, password)],
      ["editor", account("editor", 1, password)],
    ]),
  };
  const made: BackendContext = {
    env: { POOL: namespace } as unknown as Bindings,
    signal: new AbortController().signal,
    waitUntil: () => {},
    requestId: "r1",
  };
  const backend = new PoolBackend(config as unknown as Config);
  return {
    calls,
    drain: (accounts: string[]) => backend.drain(made, accounts),
    execute: (account: string, request: ExecuteRequest) => backend.execute(made, account, request),
  };
}

function account(name: string, shards: number, password: string) {
  return { name, user: `gw_${name}`, shards, credential: { password } };
}

const found = () => encodeAnswer({ value: { idle: 1, busy: 2, opening: 3 } }, 0);
const shards = (calls: readonly Call[]) => calls.map(({ shard }) => shard).sort();
/** The tags are from HMAC-SHA-256 over the secret "a password". */
const tags: Record<string, string> = { analyst: "e3f5", editor: "d25a" };
const name = (account: string, shard: number) =>
  `test/${account}/anywhere/${"g".repeat(16)}-${tags[account]}-${protocolVersion}/${shard}`;

describe("draining", () => {
  test("asks every shard of an account once, and adds up what they had", async () => {
    const { calls, drain } = context(found);
    expect(await drain(["analyst"])).toEqual([
      { account: "analyst", shards: 3, idle: 3, busy: 6, opening: 9 },
    ]);
    expect(shards(calls)).toEqual([0, 1, 2].map((shard) => name("analyst", shard)));
    for (const { work } of calls) expect(work).toEqual({ kind: "drain" });
  });

  test("asks every shard of several accounts", async () => {
    const { calls, drain } = context(found);
    const drained = await drain(["analyst", "editor"]);
    expect(drained.map(({ account, shards, idle }) => [account, shards, idle])).toEqual([
      ["analyst", 3, 3],
      ["editor", 1, 1],
    ]);
    expect(calls).toHaveLength(4);
  });

  test.each([
    [
      "cannot be reached",
      () => {
        throw new Error("the object was reset");
      },
      "analyst/1: Error: the object was reset",
    ],
    [
      "is of another version",
      () => encodeError(new TidegateError("version_mismatch")),
      "analyst/1: version_mismatch",
    ],
  ])(
    "when a shard %s all others are still asked, and the request may be sent again",
    async (_, fail, operator) => {
      const { calls, drain } = context((shard) => (shard === name("analyst", 1) ? fail() : found()));
      const error = await drain(["analyst", "editor"]).catch((cause: unknown) => cause as TidegateError);
      expect(error).toMatchObject({ code: "drain_incomplete", status: 503, retryable: true, operator });
      expect((error as TidegateError).details.detail).toContain("Send the request again");
      expect((error as TidegateError).details.detail).not.toContain("analyst");
      expect(calls).toHaveLength(4);
    },
  );
});

describe("the name of an object", () => {
  const names = async (password: string) => {
    const { calls, drain } = context(found, password);
    await drain(["analyst"]);
    return { names: shards(calls), generations: calls.map(({ generation }) => generation) };
  };

  test("changes with the secret, and so does the value that both sides compare", async () => {
    const [before, same, after] = [await names("old"), await names("old"), await names("new")];
    expect(same).toEqual(before);
    expect(after.names.filter((one) => before.names.includes(one))).toEqual([]);
    expect(after.generations[0]).not.toBe(before.generations[0]);
  });

  test("changes with the location", async () => {
    const [anywhere, near] = [context(found), context(found, "a password", { location: "apac" })];
    await anywhere.drain(["analyst"]);
    await near.drain(["analyst"]);
    expect(shards(near.calls)).toEqual(
      shards(anywhere.calls).map((one) => one.replace("/anywhere/", "/apac/")),
    );
  });

  test("has too few bits of the secret to confirm a guess", async () => {
    // A tag has 16 bits, so some of many secrets must share one.
    const seen = new Set<string>();
    for (let i = 0; i < 2_000; i++) seen.add((await names(`secret ${i}`)).names[0] ?? "");
    expect(seen.size).toBeLessThan(2_000);
    expect(seen.size).toBeGreaterThan(1_900);
    for (const one of seen) expect(one).toMatch(/^test\/analyst\/anywhere\/g{16}-[0-9a-f]{4}-\d+\/0$/);
  });
});

describe("a statement", () => {
  const work = (writable = false): ExecuteRequest => ({
    ...{
      caller: "c",
      sql: "SELECT 1",
      values: [],
      writable,
      bounded: !writable,
      author: "caller",
      atomic: true,
      returning: false,
    },
    ...{ format: "json", shape: "object", ceilings: { deadlineMs: 1_000, bytes: 1_000 } },
  });
  const timings = "queue;dur=1, connect;dur=2, db;dur=3";
  const fine = () => {
    return encodeAnswer({ contentType: "text/csv", timings, body: new TextEncoder().encode("é\r\n") }, 7);
  };
  const refusing = (code: TidegateError["code"]) => encodeError(new TidegateError(code, { retryAfter: 1 }));

  test("is executed by one shard, and its answer has its headers, which may be changed", async () => {
    const { calls, execute } = context(fine);
    const answer = await execute("analyst", work());
    expect(calls).toHaveLength(1);
    expect([...answer.headers]).toEqual([
      ["content-length", "4"],
      ["content-type", "text/csv"],
      ["server-timing", timings],
    ]);
    answer.headers.set("x-request-id", "r1");
    expect([answer.headers.get("x-request-id"), await answer.text()]).toEqual(["r1", "é\r\n"]);
  });

  test("may have a long answer, which has no length yet", async () => {
    const { execute } = context(() =>
      encodeAnswer({ contentType: "text/csv", timings, body: new Blob(["a,b"]).stream() }, 0),
    );
    const answer = await execute("analyst", work());
    expect([answer.headers.has("content-length"), await answer.text()]).toEqual([false, "a,b"]);
  });

  test.each(["pool_full", "database_unreachable", "database_connections_exhausted"] as const)(
    "that a shard refuses with %s is tried once on another one, a write too: nothing was executed",
    async (code) => {
      let asked = 0;
      const { calls, execute } = context(() => (asked++ === 0 ? refusing(code) : fine()));
      expect((await execute("analyst", work(true))).status).toBe(200);
      expect(new Set(shards(calls)).size).toBe(2);
      // From now on the shard that refused is skipped.
      for (let i = 0; i < 20; i++) await execute("analyst", work());
      expect(calls.slice(1).some(({ shard }) => shard === calls[0]?.shard)).toBe(false);
    },
  );

  test("that two shards refuse is refused, and the next one asks the third shard", async () => {
    let asked = 0;
    const { calls, execute } = context(() => (asked++ < 2 ? refusing("pool_full") : fine()));
    await expect(execute("analyst", work())).rejects.toMatchObject({ code: "pool_full" });
    expect(calls).toHaveLength(2);
    await execute("analyst", work());
    expect(new Set(shards(calls)).size).toBe(3);
  });

  test("for an account with one shard is tried once", async () => {
    const { calls, execute } = context(() => refusing("pool_full"));
    await expect(execute("editor", work())).rejects.toMatchObject({ code: "pool_full" });
    expect(calls).toHaveLength(1);
  });

  test.each([
    "pool_timeout",
    "sql_error",
    "connection_lost",
    "outcome_unknown",
    "deadline_exceeded",
  ] as const)("that failed with %s is not tried again", async (code) => {
    const { calls, execute } = context(() => refusing(code));
    await expect(execute("analyst", work())).rejects.toMatchObject({ code });
    expect(calls).toHaveLength(1);
  });

  test("that fails with a code of a newer version may have run: it is not tried again", async () => {
    const answer = { error: { code: "no_such_code" as TidegateError["code"], details: {} } };
    const { calls, execute } = context(() => answer);
    await expect(execute("analyst", work(true))).rejects.toMatchObject({ code: "outcome_unknown" });
    expect(calls).toHaveLength(1);
  });

  test("whose shard is gone is not tried again, because it may have begun", async () => {
    for (const [writable, code] of [
      [false, "connection_lost"],
      [true, "outcome_unknown"],
    ] as const) {
      const { calls, execute } = context(() => {
        throw new Error("the object was reset");
      });
      await expect(execute("analyst", work(writable))).rejects.toMatchObject({ code });
      expect(calls).toHaveLength(1);
    }
  });

  test("that was refused after a wait is not tried again, because its caller has waited enough", async () => {
    const { calls, execute } = context(() => {
      const until = performance.now() + limits.shardRefusalMs + 50;
      while (performance.now() < until);
      return refusing("database_unreachable");
    });
    await expect(execute("analyst", work())).rejects.toMatchObject({ code: "database_unreachable" });
    expect(calls).toHaveLength(1);
  });
});
