import { describe, expect, test } from "vitest";
import { HostFailover } from "../../../../../src/db/pool/connections/host-failover.ts";
import { ReadinessCheck } from "../../../../../src/db/pool/object/readiness-check.ts";
import { TidegateError } from "../../../../../src/errors.ts";

/** A pool waits for an answer, and meanwhile it is told to forget, or asked again. */

const host = { hostname: "only", port: 3306 };
const failure = new TidegateError("database_unreachable", {}, "nobody listens");

test("a login that began before a drain and fails after it does not count against the host", () => {
  const hosts = new HostFailover([host]);
  const before = hosts.begin(host, 1_000);
  hosts.forget();
  expect(hosts.failed(before, failure, 1_500)).toBe(0);
  expect(hosts.hasFailed(host)).toBe(false);
  hosts.failed(hosts.begin(host, 1_500), failure, 1_600);
  expect(hosts.hasFailed(host)).toBe(true);
});

describe("readiness", () => {
  /** A pool whose server answers when the test says so. */
  function start() {
    const pings: PromiseWithResolvers<void>[] = [];
    const ping = async () => {
      const asked = Promise.withResolvers<void>();
      pings.push(asked);
      await asked.promise;
    };
    const connection = { ping };
    const pooled = {
      isSaturated: () => false,
      acquire: async () => ({ connection, queueMs: 0, connectMs: 0 }),
      release: () => {},
      discard: () => {},
    };
    const readiness = new ReadinessCheck(
      pooled as unknown as ConstructorParameters<typeof ReadinessCheck>[0],
      {
        ping,
      },
    );
    return { readiness, pings };
  }
  const turn = () => new Promise((resolve) => setImmediate(resolve));

  test("a hundred requests at once cost one check", async () => {
    const { readiness, pings } = start();
    const asked = Array.from({ length: 100 }, () => readiness.check());
    await turn();
    expect(pings).toHaveLength(1);
    pings[0]?.resolve();
    await Promise.all(asked);
    await readiness.check();
    expect(pings).toHaveLength(1);
  });

  test("a hundred requests at once get the same failure, and the next one checks again", async () => {
    const { readiness, pings } = start();
    const asked = Array.from({ length: 100 }, () => readiness.check());
    await turn();
    pings[0]?.reject(failure);
    const outcomes = await Promise.allSettled(asked);
    expect(outcomes.map(({ status }) => status)).toEqual(outcomes.map(() => "rejected"));
    const next = readiness.check();
    await turn();
    expect(pings).toHaveLength(2);
    pings[1]?.resolve();
    await next;
  });

  test("a check that began before a drain counts only for the requests that wait for it", async () => {
    const { readiness, pings } = start();
    const before = readiness.check();
    await turn();
    readiness.forget();
    pings[0]?.resolve();
    await before;
    const after = readiness.check();
    await turn();
    expect(pings).toHaveLength(2);
    pings[1]?.resolve();
    await after;
  });
});
