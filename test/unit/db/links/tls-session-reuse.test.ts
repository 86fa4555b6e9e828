import { expect, test } from "vitest";
import type { Verified } from "../../../../src/db/links/tls-session-reuse.ts";
import { ReusableEngines } from "../../../../src/db/links/tls-session-reuse.ts";
import { limits } from "../../../../src/limits.ts";

const now = Date.UTC(2026, 10, 1);
const minuteMs = 60_000;
const verified = (more: Partial<Verified> = {}): Verified => ({
  ...{ settings: "db", atMs: now, notAfterMs: now + 90 * 86_400_000 },
  ...more,
});

class FakeEngine {
  freed = 0;
  beginAgain() {
    return { state: "handshaking" as const, records: new Uint8Array(), plain: new Uint8Array() };
  }
  free(): void {
    this.freed += 1;
  }
}

function resting(...all: Partial<Verified>[]) {
  const engines = all.map(() => new FakeEngine());
  const lot = new ReusableEngines<FakeEngine>();
  for (const [i, engine] of engines.entries()) lot.put(engine, verified(all[i]));
  return { lot, engines };
}

test("the newest engine serves next, and none serves twice", () => {
  const { lot, engines } = resting({}, {});
  expect(lot.take("db", now)?.engine).toBe(engines[1]);
  expect(lot.take("db", now)?.engine).toBe(engines[0]);
  expect(lot.take("db", now)).toBeUndefined();
  expect(engines.map(({ freed }) => freed)).toEqual([0, 0]);
});

test("their number is bounded: one more frees the oldest", () => {
  const { lot, engines } = resting(...Array.from({ length: limits.restingEngines + 1 }, () => ({})));
  expect(engines.map(({ freed }) => freed)).toEqual([1, ...Array(limits.restingEngines).fill(0)]);
  lot.clear();
  expect(engines.map(({ freed }) => freed)).toEqual(Array(limits.restingEngines + 1).fill(1));
  expect(lot.take("db", now)).toBeUndefined();
});

test.each<[string, Partial<Verified>, number]>([
  ["of other settings: another host, name, version, or CAs that are valid now", { settings: "other" }, 0],
  ["verified 10 minutes ago", {}, 10 * minuteMs],
  ["verified in the future, so that the clock is wrong", {}, -1],
  ["whose server's certificate has expired since", { notAfterMs: now + minuteMs }, minuteMs + 1],
  ["of whose certificate nothing is known", { notAfterMs: undefined }, 0],
])("an engine %s is freed", (_, more, passedMs) => {
  const { lot, engines } = resting(more);
  expect(lot.take("db", now + passedMs)).toBeUndefined();
  expect(engines[0]?.freed).toBe(1);
});

test("just before each of these limits an engine serves", () => {
  const { lot, engines } = resting({ notAfterMs: now + 10 * minuteMs });
  expect(lot.take("db", now + 10 * minuteMs - 1)?.engine).toBe(engines[0]);
});
