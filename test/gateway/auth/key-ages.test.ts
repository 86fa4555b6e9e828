// Runs on mysql only: the engine has no part in what it tests.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSigningKey, mint } from "../../../servers/issuer/issuer.ts";
import { ask, lineOf } from "../support/ask.ts";
import type { Answer, Gateway } from "../support/harness.ts";
import { audience, expectProblem, startGateway } from "../support/harness.ts";
import type { Clock } from "../support/world.ts";
import { clockOf } from "../support/world.ts";
import type { Publisher, Publishers } from "./publisher.ts";
import { startPublishers } from "./publisher.ts";

/** The times that docs/explanation/security.md promises. They are not read from limits.ts. */
const second = 1_000;
const minute = 60 * second;

// Each test has its own issuer, so that the age of its keys depends on this test only.
const names = ["rotates", "removes", "silent", "slow", "expires"] as const;
let publishers: Publishers<(typeof names)[number]>;
let gateway: Gateway;
let clock: Clock;

beforeAll(async () => {
  publishers = await startPublishers(names);
  gateway = await startGateway({ ...publishers.options, entry: "clock" });
  clock = clockOf(gateway);
});
afterAll(async () => {
  await gateway?.close();
  await publishers?.stop();
});

/** Asks with a new token, signed with the issuer's first key or another one. */
async function askOf(publisher: Publisher, key = publisher.keys[0]): Promise<Answer> {
  return await ask(gateway, await publisher.token(key));
}

async function expectGood(publisher: Publisher, key = publisher.keys[0]): Promise<void> {
  expect((await askOf(publisher, key)).body).toMatchObject({ columns: expect.anything() });
}

describe("an issuer changes its keys", () => {
  test("a new key works 30 s after the last fetch, and forged kids make no more fetches than that", async () => {
    const { rotates } = publishers.of;
    await expectGood(rotates);
    const next = await createSigningKey();
    rotates.keys.push(next);
    expectProblem(await askOf(rotates, next), 401, "token_invalid");
    await clock.pass(27 * second);
    expectProblem(await askOf(rotates, next), 401, "token_invalid");
    expect(rotates.fetches).toBe(1);
    await clock.pass(3 * second);
    await expectGood(rotates, next);
    await expectGood(rotates);
    expect(rotates.fetches).toBe(2);

    const stranger = await createSigningKey();
    for (let passed = 0; passed < 80; passed += 4) {
      await clock.pass(4 * second);
      const token = await mint(stranger, { iss: rotates.issuer, aud: audience }, { expires: "1d" });
      expectProblem(await ask(gateway, token), 401, "token_invalid");
    }
    expect(rotates.fetches).toBe(2 + 2);
  });

  test("a removed key works for 12 minutes at most, where every copy is made at the last moment", async () => {
    const { removes } = publishers.of;
    const [old] = removes.keys;
    await expectGood(removes, old);
    removes.keys = [await createSigningKey()];
    await clock.pass(10 * minute - 3 * second);
    // The object's set is not too old yet. The object fetches it again, but this isolate has just made its
    // copy.
    await expectGood(removes, old);
    await expect.poll(() => removes.fetches).toBe(2);
    await clock.pass(minute - 3 * second);
    const last = await removes.token(old);
    expect((await ask(gateway, last)).status).toBe(200);
    await clock.pass(minute - 3 * second);
    // No verification accepts that key any more, but this token is remembered.
    expectProblem(await askOf(removes, old), 401, "token_invalid");
    const remembered = await ask(gateway, last);
    expect(remembered.status).toBe(200);
    expect(await lineOf(gateway, remembered)).toMatchObject({ token: "remembered" });
    await clock.pass(9 * second);
    expectProblem(await ask(gateway, last), 401, "token_invalid");
    await expectGood(removes);
  });

  test("after 10 minutes of silence a removed key never works: the keys are fetched first", async () => {
    const { silent } = publishers.of;
    const [old] = silent.keys;
    await expectGood(silent, old);
    silent.keys = [await createSigningKey()];
    await clock.pass(10 * minute);
    expectProblem(await askOf(silent, old), 401, "token_invalid");
    expect(silent.fetches).toBe(2);
  });
});

test("after 5 minutes keys are fetched in the background: no request waits, though the issuer hangs", async () => {
  const { slow } = publishers.of;
  await expectGood(slow);
  const next = await createSigningKey();
  slow.keys.push(next);
  slow.state = "hanging";
  await clock.pass(5 * minute - 3 * second);
  await expectGood(slow);
  expect(slow.fetches).toBe(1);
  const started = Date.now();
  for (let i = 0; i < 3; i++) {
    // The isolate's copy is too old now, so each of these requests asks the object.
    await clock.pass(minute + second);
    await expectGood(slow);
  }
  // A fetch that hangs ends after 5 s.
  expect(Date.now() - started).toBeLessThan(2_500);
  expect(slow.fetches).toBe(2);
  slow.state = "up";
  await clock.pass(minute + second);
  await expect.poll(async () => (await askOf(slow, next)).status).toBe(200);
  expect(slow.fetches).toBe(2);
});

test("a remembered token is forgotten at its exp, and refused 30 s later", async () => {
  const { expires } = publishers.of;
  const exp = Math.ceil(clock.now() / second) + 20;
  const token = await expires.token(expires.keys[0], {}, exp);
  const how = async () => (await lineOf(gateway, await ask(gateway, token)))?.token;
  expect([await how(), await how()]).toEqual(["verified", "remembered"]);
  await clock.pass(exp * second - clock.now());
  // The allowed difference between clocks applies to verification only, never to the memory of tokens.
  expect([await how(), await how()]).toEqual(["verified", "verified"]);
  await clock.pass((exp + 30) * second - clock.now());
  expectProblem(await ask(gateway, token), 401, "token_expired");
});
