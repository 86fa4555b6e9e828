// Runs on mysql only: the engine has no part in what it tests.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ask, lineOf } from "../support/ask.ts";
import type { Answer, Gateway } from "../support/harness.ts";
import { expectProblem, read, startGateway } from "../support/harness.ts";
import type { Clock } from "../support/world.ts";
import { breakObjects, clockOf } from "../support/world.ts";
import type { Publisher, Publishers } from "./publisher.ts";
import { startPublishers } from "./publisher.ts";

const second = 1_000;
const minute = 60 * second;

// Each test has its own issuer. No test may disturb "steady".
const names = [
  "steady",
  "down",
  "evicted",
  "crowded",
  "broken",
  "copied",
  "late",
  "later",
  "trickling",
] as const;
let publishers: Publishers<(typeof names)[number]>;
let gateway: Gateway;
let clock: Clock;

beforeAll(async () => {
  publishers = await startPublishers(names);
  gateway = await startGateway({ ...publishers.options, entry: "broken" });
  clock = clockOf(gateway);
});
afterAll(async () => {
  await gateway?.close();
  await publishers?.stop();
});

const askOf = async (publisher: Publisher): Promise<Answer> => ask(gateway, await publisher.token());

async function expectGood(publisher: Publisher): Promise<void> {
  expect((await askOf(publisher)).status).toBe(200);
}

/** The caller gets 503 without details; the reason is in the log. */
async function expectUnavailable(answer: Answer, reason: RegExp, by = gateway): Promise<void> {
  expectProblem(answer, 503, "keys_unavailable");
  expect(answer.body.retryable).toBe(true);
  expect(answer.headers.get("retry-after")).toBe("5");
  expect(JSON.stringify(answer.body)).not.toMatch(/internal-detail|issuer\.test|127\.0\.0\.1|status 500/);
  expect((await lineOf(by, answer))?.reason).toMatch(reason);
}

/** Ends the object. src/auth/ask-keys.ts makes its name. */
const evict = ({ issuer, jwksUri }: Publisher) => gateway.evict("KEYS", `development/${issuer}/${jwksUri}`);

test("the keys of an issuer that is down serve for 62 minutes at most, then it is 503, never 401", async () => {
  const { down, steady } = publishers.of;
  await expectGood(down);
  down.state = "down";
  await clock.pass(10 * minute);
  await expectGood(down);
  expect(down.fetches).toBe(2);
  await clock.pass(50 * minute - 5 * second);
  // The last moment of the object's set: this isolate copies the set, and remembers a token by it.
  await expectGood(down);
  await clock.pass(minute - 5 * second);
  const last = await down.token();
  expect((await ask(gateway, last)).status).toBe(200);
  await expectGood(steady);
  await clock.pass(minute - 5 * second);
  await expectUnavailable(await askOf(down), /^KeysUnavailableError: status 503: status 500$/);
  expect((await ask(gateway, last)).status).toBe(200);
  await clock.pass(15 * second);
  await expectUnavailable(await ask(gateway, last), /status 500/);
  await expectGood(steady);
  down.state = "up";
  // After a failed fetch there is no other for 5 s.
  await clock.pass(5 * second);
  await expectGood(down);
});

describe("the object that holds an issuer's keys", () => {
  beforeAll(async () => {
    const both = [publishers.of.evicted, publishers.of.crowded];
    await Promise.all(both.map(expectGood));
    // Both at once: an object ends only after the time limit of its last fetch.
    await Promise.all(both.map(evict));
  });

  test("stores them: after its end a request needs no fetch, nor the issuer", async () => {
    const { evicted } = publishers.of;
    await clock.pass(minute);
    await expectGood(evicted);
    expect(evicted.fetches).toBe(1);
    await evict(evicted);
    evicted.state = "down";
    await clock.pass(10 * minute);
    await expectGood(evicted);
    expect(evicted.fetches).toBe(2);
    evicted.state = "up";
    await clock.pass(minute);
    await expectGood(evicted);
    expect(evicted.fetches).toBe(3);
  });

  test("fetches at most twice for a hundred requests after its end", async () => {
    const { crowded } = publishers.of;
    const answers = await Promise.all(Array.from({ length: 100 }, () => askOf(crowded)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(crowded.fetches).toBeGreaterThan(1);
    expect(crowded.fetches).toBeLessThanOrEqual(1 + 2);
  });

  test.each([
    ["throws", /internal-detail/],
    ["status 500", /internal-detail/],
    ["no JSON", /JSON/],
    ["no object", /no key set/],
    ["another object", /no key set/],
  ])("when it fails (%s), its issuer's tokens are 503 and others go on", async (way, reason) => {
    const { broken, steady } = publishers.of;
    await expectGood(steady);
    await breakObjects(gateway, "keys", way);
    try {
      await expectUnavailable(await askOf(broken), reason);
      await expectGood(steady);
    } finally {
      await breakObjects(gateway, "keys", undefined);
    }
  });

  test("when it fails, the isolate's copy serves on, for as long as the object's keys would", async () => {
    const { copied } = publishers.of;
    await expectGood(copied);
    await breakObjects(gateway, "keys", "throws");
    try {
      await clock.pass(59 * minute);
      await expectGood(copied);
      await clock.pass(minute);
      await expectUnavailable(await askOf(copied), /internal-detail/);
    } finally {
      await breakObjects(gateway, "keys", undefined);
    }
    await expectGood(copied);
  });

  test("is waited for 11 s: one that answers after 10 s does, later is 503", async () => {
    const started = Date.now();
    await breakObjects(gateway, "keys", "answers late", [10_000, 60_000]);
    try {
      // The order of the answers does not matter.
      const answers = await Promise.all([askOf(publishers.of.late), askOf(publishers.of.later)]);
      const ms = Date.now() - started;
      const [good, refused] = answers.toSorted((a, b) => a.status - b.status) as [Answer, Answer];
      expect(good.status).toBe(200);
      await expectUnavailable(refused, /timeout/i);
      expect(ms).toBeGreaterThan(10_900);
      expect(ms).toBeLessThan(13_000);
    } finally {
      await breakObjects(gateway, "keys", undefined);
    }
  });
});

describe("/readyz", () => {
  test("is 503 while an issuer's keys cannot be had, names nobody, and recovers", async () => {
    const one = await startPublishers(["one"]);
    const { one: issuer } = one.of;
    issuer.state = "down";
    const own = await startGateway({ ...one.options, entry: "clock" });
    const time = clockOf(own);
    const ready = async () => await read(await own.fetch("/readyz"));
    try {
      await expectUnavailable(await ready(), /status 500/, own);
      issuer.state = "up";
      // The result of a check is valid for 5 s.
      expectProblem(await ready(), 503, "keys_unavailable");
      await time.pass(5 * second);
      expect(await ready()).toMatchObject({ status: 200, body: { status: "ready" } });
      // An outage that affects no request yet is not reported.
      issuer.state = "down";
      await time.pass(59 * minute);
      expect((await ready()).status).toBe(200);
      await time.pass(2 * minute);
      await expectUnavailable(await ready(), /status 500/, own);
      expect((await own.fetch("/livez")).status).toBe(200);
    } finally {
      await own.close();
      await one.stop();
    }
  });
});

test("a key set that trickles is given up: 503, others go on, and the next fetch is a new one", async () => {
  const { trickling, steady } = publishers.of;
  trickling.state = "trickling";
  await expectUnavailable(await askOf(trickling), /KeysUnavailableError/);
  await expectGood(steady);
  trickling.state = "up";
  // After a failed fetch there is no other for 5 s.
  await clock.pass(5 * second);
  await expectGood(trickling);
});
