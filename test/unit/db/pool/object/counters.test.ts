import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { CloseReason } from "../../../../../src/db/pool/messages/counters.ts";
import { closeText, ShardCounters } from "../../../../../src/db/pool/object/counters.ts";
import { families } from "../../../../../src/db/pool/worker/metric-families.ts";
import { expose } from "../../../../../src/exposition.ts";
import { infoOf } from "../../../../../src/routes/metrics.ts";
import { pool, poolWith, request, settle } from "../connections/fake-pool.ts";

const none = { idle: 0, busy: 0, opening: 0, closing: 0, waiting: 0 };
const cluster = { engine: "mysql", link: "rustls" } as never;

describe("why a connection ended", () => {
  test.each<[CloseReason, string | undefined, string]>([
    ["idle", undefined, "idle"],
    ["stopped", "deadline_exceeded", "stopped: deadline_exceeded"],
    ["not_killed", undefined, "not killed"],
    ["not_restored", "another identity", "not restored: another identity"],
    ["lost", "reading from db.example.com:3306: idle", "reading from db.example.com:3306: idle"],
    ["lost", undefined, "lost"],
  ])("%s (%s) is in the log as %j", (reason, detail, text) => {
    expect(closeText(reason, detail)).toBe(text);
  });

  test("is counted by the typed cause, not by its text", async () => {
    vi.useFakeTimers();
    const metrics = new ShardCounters();
    const closed = metrics.closed.bind(metrics);
    const { checkout, server } = pool({ closed });
    for (const detail of ["idle", "drained: by the server", "ping failed"]) {
      const { lease } = request(checkout);
      void lease;
      const connection = server.accept();
      await settle();
      connection.lose(detail);
      await settle();
    }
    const counted = metrics.read(none, 5, {}).closed;
    expect(counted).toMatchObject({ lost: 3, idle: 0, drained: 0, ping_failed: 0 });
    vi.useRealTimers();
  });
});

describe("the current state of a pool", () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 1_000_000 });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test("is empty at first", () => {
    expect(pool().checkout.gauges).toEqual(none);
  });

  test("counts idle, busy, opening and waiting separately, also after a drain", async () => {
    const { checkout, server } = await poolWith(2);
    const { connection } = await checkout.acquire("a");
    expect(checkout.gauges).toEqual({ ...none, idle: 1, busy: 1 });
    await checkout.acquire("a");
    request(checkout);
    expect(checkout.gauges).toEqual({ ...none, busy: 2, waiting: 1 });
    checkout.discard(connection, "lost");
    // Its slot is free when its socket has really ended.
    expect(checkout.gauges).toEqual({ ...none, busy: 1, closing: 1, waiting: 1 });
    await settle();
    expect(checkout.gauges).toEqual({ ...none, busy: 1, opening: 1, waiting: 1 });
    checkout.drain();
    // The login from before the drain still takes a slot.
    expect(checkout.gauges).toEqual({ ...none, busy: 1, opening: 1, waiting: 1 });
    server.accept();
  });
});

describe("what is counted", () => {
  test("is unchanged in the metrics, for each shard", () => {
    const metrics = new ShardCounters();
    metrics.created();
    metrics.created();
    metrics.closed("not_restored");
    metrics.refused("database_tls_failed");
    metrics.unserved("pool_full");
    metrics.restored("ok");
    metrics.restored("failed");
    metrics.killed("ok");
    for (const ms of [1, 1.1, 60_000, 61_000]) metrics.ran(ms);
    const certificate = { subject: "CN=db", notAfterMs: 1_800_000_000_000 };
    const read = metrics.read({ idle: 1, busy: 2, opening: 0, closing: 1, waiting: 4 }, 5, {
      certificate,
      handshakes: { full: 3, resumed: 1 },
    });
    const labels = { account: "reader", shard: "1" };
    const shards = [{ labels, metrics: JSON.parse(JSON.stringify(read)) }];
    const info = infoOf({ environment: "test", cluster });
    const text = expose([info, ...families({ authorities: [] }, shards)]);
    const lines = text.split("\n");
    const at = `account="reader",shard="1"`;
    expect(lines).toEqual(
      expect.arrayContaining([
        `tidegate_info{environment="test",engine="mysql",link="rustls"} 1`,
        `tidegate_shard_up{${at}} 1`,
        `tidegate_pool_connections{${at},state="idle"} 1`,
        `tidegate_pool_connections{${at},state="busy"} 2`,
        `tidegate_pool_connections{${at},state="opening"} 0`,
        `tidegate_pool_connections{${at},state="closing"} 1`,
        `tidegate_pool_connections_limit{${at}} 5`,
        `tidegate_pool_tls_handshakes_total{${at},kind="resumed"} 1`,
        `tidegate_pool_waiting{${at}} 4`,
        `tidegate_pool_connections_created_total{${at}} 2`,
        `tidegate_pool_connections_closed_total{${at},reason="not_restored"} 1`,
        `tidegate_pool_connections_closed_total{${at},reason="lost"} 0`,
        `tidegate_pool_logins_failed_total{${at},code="database_tls_failed"} 1`,
        `tidegate_pool_unserved_total{${at},code="pool_full"} 1`,
        `tidegate_pool_restores_total{${at},result="ok"} 1`,
        `tidegate_pool_restores_total{${at},result="failed"} 1`,
        `tidegate_pool_kills_total{${at},result="ok"} 1`,
        `tidegate_pool_acquire_wait_seconds_count{${at}} 0`,
        `tidegate_statement_duration_seconds_bucket{${at},le="0.001"} 1`,
        `tidegate_statement_duration_seconds_bucket{${at},le="0.0025"} 2`,
        `tidegate_statement_duration_seconds_bucket{${at},le="30"} 2`,
        `tidegate_statement_duration_seconds_bucket{${at},le="60"} 3`,
        `tidegate_statement_duration_seconds_bucket{${at},le="+Inf"} 4`,
        `tidegate_statement_duration_seconds_sum{${at}} 121.0021`,
        `tidegate_certificate_expiry_timestamp_seconds{${at},kind="server",subject="CN=db"} 1800000000`,
      ]),
    );
    expect(text).not.toContain("words of the server");
  });

  test("a shard that did not answer is down, and has no other sample", () => {
    const shards = [{ labels: { account: "reader", shard: "0" }, metrics: undefined }];
    const text = expose(families({ authorities: [] }, shards));
    expect(text.match(/account=.*/g)).toEqual([`account="reader",shard="0"} 0`]);
    expect(text).toContain("tidegate_shard_up{");
  });

  test("two CAs with one name are one sample, for the one that is valid longer", () => {
    const authority = (notAfter: string) => ({
      pem: "",
      subject: "CN=CA",
      notBefore: "2020-01-01",
      notAfter,
    });
    const authorities = [authority("2026-01-01T00:00:00Z"), authority("2036-01-01T00:00:00Z")];
    const text = expose(families({ authorities }, []));
    expect(text.match(/.*kind="ca".*/g)).toEqual([
      `tidegate_certificate_expiry_timestamp_seconds{kind="ca",subject="CN=CA"} ${Date.UTC(2036, 0) / 1000}`,
    ]);
  });
});
