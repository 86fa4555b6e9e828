import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Bindings } from "../../../src/application.ts";
import { Idempotency } from "../../../src/idempotency/object.ts";
import type { Begin, IdempotencyRecord } from "../../../src/idempotency/record.ts";
import { limits } from "../../../src/limits.ts";

/** Tests when the object deletes its record. test/gateway/sql/idempotency.test.ts uses a real object. */
vi.mock("cloudflare:workers", () => ({
  DurableObject: class {
    ctx: unknown;
    constructor(ctx: unknown) {
      this.ctx = ctx;
    }
  },
}));

let kept: Map<string, unknown>;
let alarmAt: number | undefined;
beforeEach(() => {
  kept = new Map();
  alarmAt = undefined;
  vi.useFakeTimers({ now: Date.parse("2026-11-21T12:00:00Z"), toFake: ["Date"] });
});
afterEach(() => void vi.useRealTimers());

function start(): Idempotency {
  const storage = {
    kv: {
      get: (name: string) => structuredClone(kept.get(name)),
      put: (name: string, value: unknown) => void kept.set(name, structuredClone(value)),
    },
    setAlarm: async (at: number) => {
      alarmAt = at;
    },
    deleteAll: async () => kept.clear(),
  };
  return new Idempotency({ storage } as unknown as DurableObjectState, {} as Bindings);
}

async function begin(object: Idempotency, run: string): Promise<unknown> {
  const question: Begin = { ask: "begin", fingerprint: "f", run, patienceMs: 1_000 };
  const body = JSON.stringify(question);
  return await (await object.fetch(new Request("https://object/", { method: "POST", body }))).json();
}

const alarm = (at: number | undefined) => ({ scheduledTime: at ?? 0, isRetry: false, retryCount: 0 });

test("its alarm removes an expired record", async () => {
  const object = start();
  expect(await begin(object, "first")).toEqual({ verdict: "run" });
  expect(alarmAt).toBe(Date.now() + limits.idempotencyAgeMs);
  vi.setSystemTime(alarmAt ?? 0);
  await object.alarm(alarm(alarmAt));
  expect(kept.size).toBe(0);
});

test("an alarm after the next request's beginning keeps the new record", async () => {
  const object = start();
  await begin(object, "first");
  const due = alarm(alarmAt);
  vi.setSystemTime(alarmAt ?? 0);
  expect(await begin(object, "second")).toEqual({ verdict: "run" });
  const ends = alarmAt;
  alarmAt = undefined;
  await object.alarm(due);
  expect((kept.get("record") as IdempotencyRecord).run).toBe("second");
  expect(alarmAt).toBe(ends);
  expect(await begin(object, "third")).toEqual({ verdict: "running" });
});
