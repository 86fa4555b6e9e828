import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Bindings } from "../../../src/application.ts";
import type { FetchedKeys } from "../../../src/auth/jwks-cache.ts";
import type { KeysRequest } from "../../../src/auth/keys-object.ts";
import { Keys } from "../../../src/auth/keys-object.ts";

/**
 * The object's behaviour over time, with a fake clock. test/gateway/auth/key-outage.test.ts uses a real
 * object.
 */
vi.mock("cloudflare:workers", () => ({
  DurableObject: class {
    ctx: unknown;
    env: unknown;
    constructor(ctx: unknown, env: unknown) {
      this.ctx = ctx;
      this.env = env;
    }
  },
}));
vi.mock("../../../src/application.ts", () => ({ configOf: (env: { config: unknown }) => env.config }));

const issuer = "https://a.example.com/";
const uri = "https://a.example.com/jwks.json";
/** The key of RFC 7517 §A.1. */
const key = {
  kty: "EC",
  crv: "P-256",
  x: "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
  y: "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
  kid: "k1",
};
const config = { environment: "production", issuers: [{ issuer, keys: { kind: "remote", uri } }] };
const minute = 60_000;

/** The object's storage, which survives the object. */
let storage: Map<string, unknown>;
let fetched: string[];
let issuerIsUp: boolean;

beforeEach(() => {
  storage = new Map();
  fetched = [];
  issuerIsUp = true;
  vi.useFakeTimers({ now: Date.parse("2026-11-21T12:00:00Z"), toFake: ["Date"] });
  vi.spyOn(console, "warn").mockImplementation(() => {});
  vi.stubGlobal("fetch", async (url: string) => {
    fetched.push(url);
    return issuerIsUp ? Response.json({ keys: [key] }) : new Response("down", { status: 500 });
  });
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

function start(): Keys {
  const state = {
    storage: {
      get: async (name: string) => structuredClone(storage.get(name)),
      put: async (name: string, value: unknown) => void storage.set(name, structuredClone(value)),
    },
  };
  return new Keys(state as unknown as DurableObjectState, { config } as unknown as Bindings);
}

async function ask(object: Keys, question: Partial<KeysRequest> = {}) {
  const body = JSON.stringify({ issuer, unknownKid: false, ...question });
  return await object.fetch(new Request("https://keys/", { method: "POST", body }));
}

test("gives the issuer's keys and when they were fetched", async () => {
  const response = await ask(start());
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({ jwks: { keys: [key] }, fetchedAt: Date.now() });
  expect(fetched).toEqual([uri]);
});

test("fetches once for a hundred requests at once, although it reads storage first", async () => {
  const object = start();
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, i) => ask(object, { unknownKid: i > 50 })),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  expect(fetched).toHaveLength(1);
});

test("knows no other issuer", async () => {
  expect((await ask(start(), { issuer: "https://b.example.com/" })).status).toBe(503);
  expect(fetched).toEqual([]);
});

describe("restarted", () => {
  const restart = async (age: number): Promise<Response> => {
    await ask(start());
    issuerIsUp = false;
    vi.setSystemTime(Date.now() + age);
    return await ask(start());
  };

  test("serves the stored keys, without a fetch", async () => {
    const { fetchedAt } = (await (await restart(minute)).json()) as FetchedKeys;
    expect(fetchedAt).toBe(Date.now() - minute);
    expect(fetched).toHaveLength(1);
  });

  test("serves the stored keys for an hour while the issuer is down", async () => {
    expect((await restart(59 * minute)).status).toBe(200);
    expect(fetched).toHaveLength(2);
  });

  test("and no longer", async () => {
    const answer = await restart(60 * minute);
    expect(answer.status).toBe(503);
    expect(await answer.text()).toBe("status 500");
    expect(String(vi.mocked(console.warn).mock.lastCall)).toContain('"event":"keys_unavailable"');
  });
});

test("a fetch that fails stores nothing", async () => {
  issuerIsUp = false;
  expect((await ask(start())).status).toBe(503);
  expect(storage.size).toBe(0);
});
