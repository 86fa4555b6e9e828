import { beforeEach, describe, expect, test } from "vitest";
import type { FetchedKeys } from "../../../src/auth/jwks-cache.ts";
import { JwksCache } from "../../../src/auth/jwks-cache.ts";
import type { KeySet } from "../../../src/config/key-set.ts";

/** The times that docs/reference/configuration.md promises, in milliseconds. They are not read from limits.ts. */
const second = 1_000;
const minute = 60 * second;
const start = Date.parse("2026-11-21T12:00:00Z");

let now: number;
let fetches: number;
/** The issuer's reaction to a request: it serves a set, or fails. */
let issuer: () => Promise<KeySet>;
let stored: FetchedKeys[];

function setOf(kid: string): KeySet {
  return { keys: [{ kid }] };
}

function cacheWith(initial?: FetchedKeys): JwksCache {
  return new JwksCache({
    fetch: () => {
      fetches += 1;
      return issuer();
    },
    now: () => now,
    initial,
    fetched: (keys) => stored.push(keys),
  });
}

/** Waits until a background fetch has ended. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

const serves = (kid: string) => () => Promise.resolve(setOf(kid));
const fails =
  (why = "status 500") =>
  () =>
    Promise.reject(new Error(why));

async function kidOf(cache: JwksCache, unknownKid = false): Promise<unknown> {
  return (await cache.get(unknownKid)).jwks.keys[0]?.kid;
}

beforeEach(() => {
  now = start;
  fetches = 0;
  stored = [];
  issuer = serves("k1");
});

describe("one fetch at a time", () => {
  test("for a hundred requests at once", async () => {
    const cache = cacheWith();
    const got = await Promise.all(Array.from({ length: 100 }, (_, i) => cache.get(i % 2 === 1)));
    expect(fetches).toBe(1);
    expect(new Set(got).size).toBe(1);
    expect(got[0]).toEqual({ jwks: setOf("k1"), fetchedAt: start });
  });

  test("for a hundred requests with an unknown kid, if the set is old enough", async () => {
    const cache = cacheWith({ jwks: setOf("k0"), fetchedAt: start - minute });
    const got = await Promise.all(Array.from({ length: 100 }, () => kidOf(cache, true)));
    expect([fetches, ...new Set(got)]).toEqual([1, "k1"]);
  });

  test("which fails for all of them", async () => {
    issuer = fails();
    const cache = cacheWith();
    const got = await Promise.allSettled(Array.from({ length: 100 }, () => cache.get(false)));
    expect(fetches).toBe(1);
    expect(got.every(({ status }) => status === "rejected")).toBe(true);
  });

  test("counts from its end, not from its beginning", async () => {
    let answer = (_: KeySet) => {};
    issuer = () => new Promise((resolve) => (answer = resolve));
    const got = cacheWith().get(false);
    now += 4 * second;
    answer(setOf("k1"));
    expect((await got).fetchedAt).toBe(start + 4 * second);
  });
});

describe("growing old", () => {
  test("before 5 minutes nothing is fetched", async () => {
    const cache = cacheWith();
    await cache.get(false);
    now += 5 * minute - 1;
    expect(await kidOf(cache)).toBe("k1");
    expect(fetches).toBe(1);
  });

  test("after 5 minutes it is fetched in the background, and no request waits", async () => {
    const cache = cacheWith();
    await cache.get(false);
    now += 5 * minute;
    let answer = (_: KeySet) => {};
    issuer = () => new Promise((resolve) => (answer = resolve));
    expect([await kidOf(cache), await kidOf(cache)]).toEqual(["k1", "k1"]);
    expect(fetches).toBe(2);
    answer(setOf("k2"));
    await settled();
    expect(await kidOf(cache)).toBe("k2");
    expect(fetches).toBe(2);
  });

  test("after 10 minutes requests wait for a fetch", async () => {
    const cache = cacheWith();
    await cache.get(false);
    issuer = serves("k2");
    now += 10 * minute;
    expect(await kidOf(cache)).toBe("k2");
  });

  test("with traffic, a removed key is gone after 5 minutes and a request", async () => {
    const cache = cacheWith();
    await cache.get(false);
    issuer = serves("k2");
    now += 5 * minute;
    await cache.get(false);
    await settled();
    expect(await kidOf(cache)).toBe("k2");
  });
});

describe("an unknown kid", () => {
  test("makes no fetch within 30 s of the last one", async () => {
    const cache = cacheWith();
    await cache.get(false);
    issuer = serves("k2");
    now += 30 * second - 1;
    expect(await kidOf(cache, true)).toBe("k1");
    expect(fetches).toBe(1);
  });

  test("makes one after 30 s, and its answer has the new key", async () => {
    const cache = cacheWith();
    await cache.get(false);
    issuer = serves("k2");
    now += 30 * second;
    expect(await kidOf(cache, true)).toBe("k2");
  });

  test("makes at most one every 30 s, also with many forged tokens", async () => {
    const cache = cacheWith();
    await cache.get(false);
    for (let i = 0; i < 300; i++) {
      now += second;
      await cache.get(true);
    }
    expect(fetches).toBe(1 + 10);
  });

  test("cannot be judged while the issuer is down; known keys still work", async () => {
    const cache = cacheWith();
    await cache.get(false);
    issuer = fails("status 500");
    now += minute;
    await expect(cache.get(true)).rejects.toThrow("status 500");
    expect(await kidOf(cache, false)).toBe("k1");
  });
});

describe("an issuer that is down", () => {
  test("fails every request if there never was a set", async () => {
    issuer = fails("status 500");
    await expect(cacheWith().get(false)).rejects.toThrow("status 500");
  });

  test("is not asked again for 5 s; requests fail at once", async () => {
    issuer = fails("first");
    const cache = cacheWith();
    await expect(cache.get(false)).rejects.toThrow("first");
    issuer = serves("k1");
    now += 5 * second - 1;
    await expect(cache.get(false)).rejects.toThrow("first");
    expect(fetches).toBe(1);
    now += 1;
    expect(await kidOf(cache)).toBe("k1");
    expect(fetches).toBe(2);
  });

  test("does not matter while the last set is younger than an hour", async () => {
    const cache = cacheWith();
    await cache.get(false);
    issuer = fails();
    for (const age of [5 * minute, 10 * minute, 30 * minute, 60 * minute - 1]) {
      now = start + age;
      expect(await kidOf(cache)).toBe("k1");
      await settled();
    }
    expect(fetches).toBe(1 + 4);
  });

  test("fails requests when the last set is an hour old", async () => {
    const cache = cacheWith();
    await cache.get(false);
    issuer = fails();
    now += 60 * minute;
    await expect(cache.get(false)).rejects.toThrow("status 500");
  });

  test("is asked at most every 5 s while the last set is in use", async () => {
    const cache = cacheWith();
    await cache.get(false);
    issuer = fails();
    now += 20 * minute;
    for (let i = 0; i < 100; i++) {
      now += 100;
      await cache.get(i % 2 === 1);
    }
    expect(fetches).toBe(1 + 2);
  });

  test("and comes back is used again", async () => {
    const cache = cacheWith();
    await cache.get(false);
    issuer = fails();
    now += 20 * minute;
    await cache.get(false);
    issuer = serves("k2");
    now += 5 * second;
    expect(await kidOf(cache)).toBe("k2");
    // The earlier failure no longer holds back a fetch.
    now += 10 * minute;
    issuer = serves("k3");
    expect(await kidOf(cache)).toBe("k3");
  });

  test("in the background leaves no unhandled rejection", async () => {
    const cache = cacheWith();
    await cache.get(false);
    issuer = fails();
    now += 6 * minute;
    await cache.get(false);
    await settled();
    expect(fetches).toBe(2);
  });
});

describe("a stored set", () => {
  test("is the first set, without a fetch", async () => {
    const initial = { jwks: setOf("k0"), fetchedAt: start - minute };
    expect(await cacheWith(initial).get(false)).toBe(initial);
    expect(fetches).toBe(0);
  });

  test("that is too old is not used when the issuer answers", async () => {
    expect(await kidOf(cacheWith({ jwks: setOf("k0"), fetchedAt: start - 10 * minute }))).toBe("k1");
  });

  test("that is too old is still used when the issuer is down", async () => {
    issuer = fails();
    expect(await kidOf(cacheWith({ jwks: setOf("k0"), fetchedAt: start - 59 * minute }))).toBe("k0");
    await expect(
      cacheWith({ jwks: setOf("k0"), fetchedAt: start - 60 * minute }).get(false),
    ).rejects.toThrow();
  });

  test("is replaced by every fetched set, and by no failure", async () => {
    const cache = cacheWith();
    await cache.get(false);
    issuer = fails();
    now += 20 * minute;
    await cache.get(false);
    expect(stored).toEqual([{ jwks: setOf("k1"), fetchedAt: start }]);
  });
});
