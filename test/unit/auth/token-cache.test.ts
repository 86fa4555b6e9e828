import { describe, expect, test } from "vitest";
import type { Caller } from "../../../src/auth/caller.ts";
import { TokenCache, tokenHash } from "../../../src/auth/token-cache.ts";

const now = Date.parse("2026-11-21T12:00:00Z");
const minute = 60_000;
const bound = 1_000;

function caller(subject: string): Caller {
  return { issuer: "https://a.example.com/", subject, claims: { sub: subject } };
}

/** A cache with the callers 0, 1, .. of tokens that last an hour. */
function filled(count: number): TokenCache {
  const cache = new TokenCache();
  for (let i = 0; i < count; i++) cache.set(String(i), caller(String(i)), now + 60 * minute, now);
  return cache;
}

describe("a remembered token", () => {
  test("gives its caller", () => {
    expect(filled(3).get("1", now)).toEqual(caller("1"));
  });

  test("is not given for another token", () => {
    expect(filled(3).get("4", now)).toBeUndefined();
    expect(filled(3).get("constructor", now)).toBeUndefined();
  });

  test("ends with the token, without any skew", () => {
    const cache = new TokenCache();
    cache.set("a", caller("a"), now + 10_000, now);
    expect(cache.get("a", now + 9_999)).toBeDefined();
    expect(cache.get("a", now + 10_000)).toBeUndefined();
  });

  test("ends after a minute, also if it is used often", () => {
    const cache = filled(1);
    for (let age = 0; age < minute; age += 1_000) expect(cache.get("0", now + age)).toBeDefined();
    expect(cache.get("0", now + minute)).toBeUndefined();
  });

  test("that has ended is gone, also if the clock goes back", () => {
    const cache = filled(1);
    cache.get("0", now + minute);
    expect(cache.size).toBe(0);
    expect(cache.get("0", now)).toBeUndefined();
  });

  test.each([now, now - 1, 0, Number.NaN])("that has expired is not remembered: %d", (expires) => {
    const cache = new TokenCache();
    cache.set("a", caller("a"), expires, now);
    expect(cache.get("a", now)).toBeUndefined();
  });
});

describe("the bound", () => {
  test("is 1000 tokens", () => {
    expect(filled(bound).size).toBe(bound);
    expect(filled(bound + 500).size).toBe(bound);
  });

  test("drops the oldest", () => {
    const cache = filled(bound + 1);
    expect(cache.get("0", now)).toBeUndefined();
    expect(cache.get("1", now)).toBeDefined();
  });

  test("keeps tokens in use", () => {
    const cache = filled(bound);
    cache.get("0", now);
    cache.set("new", caller("new"), now + minute, now);
    expect(cache.get("0", now)).toBeDefined();
    expect(cache.get("1", now)).toBeUndefined();
  });

  test("counts a token once, also if it is verified again", () => {
    const cache = filled(bound);
    for (let i = 0; i < 10; i++) cache.set("0", caller("0"), now + minute, now);
    expect(cache.size).toBe(bound);
    expect(cache.get("1", now)).toBeDefined();
  });
});

test("the key is the SHA-256 of the whole token, not the token", async () => {
  expect(await tokenHash("abc")).toBe("ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
  expect(await tokenHash("a.b.c")).not.toBe(await tokenHash("a.b.d"));
});
