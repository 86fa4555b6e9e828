import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { HostFailover, isHostFailure } from "../../../../../src/db/pool/connections/host-failover.ts";
import { errorKinds, TidegateError } from "../../../../../src/errors.ts";
import { limits } from "../../../../../src/limits.ts";

const first = { hostname: "first", port: 3306 };
const second = { hostname: "second", port: 3306 };
const failure = new TidegateError("database_unreachable", {}, "nobody listens");

// Jitter gives the longest backoff, except in tests that change it.
beforeEach(() => void vi.spyOn(Math, "random").mockReturnValue(1));
afterEach(() => void vi.restoreAllMocks());

function fail(hosts: HostFailover, host: typeof first, now: number) {
  return hosts.failed(hosts.begin(host, now), failure, now);
}

describe("the order", () => {
  test("is that of the configuration", () => {
    expect(new HostFailover([first, second]).candidates(0)).toEqual([first, second]);
  });

  test("leaves out a failed host until its pause is over", () => {
    const hosts = new HostFailover([first, second]);
    fail(hosts, first, 1_000);
    expect(hosts.candidates(1_000)).toEqual([second]);
    expect(hosts.candidates(1_999)).toEqual([second]);
    expect(hosts.candidates(2_000)).toEqual([first, second]);
    expect(hosts.isFallback(second)).toBe(true);
    expect(hosts.isFallback(first)).toBe(false);
  });

  test("one login checks whether it is back, and the others go to the next host", () => {
    const hosts = new HostFailover([first, second]);
    fail(hosts, first, 1_000);
    const trial = hosts.begin(first, 2_000);
    expect(hosts.candidates(2_000)).toEqual([second]);
    expect(hosts.succeeded(trial)).toBe(true);
    expect(hosts.candidates(2_000)).toEqual([first, second]);
    expect(hosts.succeeded(hosts.begin(first, 2_001))).toBe(false);
  });

  test("an attempt that says nothing about the host leaves it to the next caller", () => {
    const hosts = new HostFailover([first, second]);
    fail(hosts, first, 1_000);
    const trial = hosts.begin(first, 2_000);
    hosts.saidNothing(trial);
    expect(hosts.candidates(2_000)).toEqual([first, second]);
    // A later attempt is running.
    hosts.begin(first, 3_000);
    hosts.saidNothing(trial);
    expect(hosts.candidates(3_000)).toEqual([second]);
  });

  test("after forget() every host is tried again", () => {
    const hosts = new HostFailover([first, second]);
    fail(hosts, first, 1_000);
    hosts.forget();
    expect(hosts.candidates(1_000)).toEqual([first, second]);
    expect(hosts.refusal(1_000)).toBeUndefined();
  });
});

describe("the backoff", () => {
  test("doubles from 1 s to 32 s, its maximum", () => {
    const hosts = new HostFailover([first, second]);
    const waits = Array.from({ length: 8 }, (_, i) => fail(hosts, first, (i + 1) * 100_000));
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 32_000, 32_000]);
  });

  test("has full jitter", () => {
    const hosts = new HostFailover([first]);
    for (const random of [0, 0.25, 0.5]) {
      vi.mocked(Math.random).mockReturnValue(random);
      hosts.forget();
      expect(fail(hosts, first, 1_000)).toBe(random * limits.reconnectBackoffMs);
    }
  });

  test("counts logins that failed together as one failure", () => {
    const hosts = new HostFailover([first, second]);
    const tries = [1, 2, 3].map(() => hosts.begin(first, 1_000));
    expect(tries.map((one) => hosts.failed(one, failure, 1_500))).toEqual([1_000, 1_000, 1_000]);
  });

  test("starts again after a success", () => {
    const hosts = new HostFailover([first]);
    fail(hosts, first, 1_000);
    fail(hosts, first, 10_000);
    hosts.succeeded(hosts.begin(first, 20_000));
    expect(fail(hosts, first, 30_000)).toBe(1_000);
  });
});

describe("while no host can be reached", () => {
  function down() {
    const hosts = new HostFailover([first, second]);
    // So many failures that the backoff alone would be half a minute.
    for (let i = 0; i < 7; i++) for (const host of [first, second]) fail(hosts, host, i * 1_000);
    return { hosts, failedAt: 6_000 };
  }

  test("requests fail at once, with the reason and a Retry-After", () => {
    const { hosts, failedAt } = down();
    const refusal = hosts.refusal(failedAt + 500);
    expect(refusal).toMatchObject({ code: "database_unreachable", status: 503, retryable: true });
    expect(refusal?.details.retryAfter).toBe(3);
    expect(refusal?.operator).toContain("nobody listens");
    expect(refusal?.message).not.toContain("nobody listens");
  });

  test("one request in a few seconds tries, at any backoff, and the others fail at once", () => {
    const { hosts, failedAt } = down();
    const due = failedAt + limits.reconnectProbeMs;
    expect(hosts.refusal(due - 1)).toBeDefined();
    expect(hosts.refusal(due)).toBeUndefined();
    expect(hosts.candidates(due)).toEqual([first]);
    hosts.begin(first, due);
    // The other host is tried next, and then none until the next turn.
    expect(hosts.candidates(due)).toEqual([second]);
    hosts.begin(second, due);
    expect(hosts.refusal(due)).toBeDefined();
    expect(hosts.refusal(due + limits.reconnectProbeMs - 1)).toBeDefined();
    // The attempts hang, so others begin beside them.
    expect(hosts.candidates(due + limits.reconnectProbeMs)).toEqual([first]);
  });

  test("not every request waits for a host that fails slowly", () => {
    const hosts = new HostFailover([first]);
    fail(hosts, first, 0);
    hosts.begin(first, 1_000);
    expect(hosts.refusal(1_001)).toBeDefined();
    expect(hosts.refusal(3_999)).toBeDefined();
    expect(hosts.refusal(4_000)).toBeUndefined();
  });
});

test("only a failure on the way to a host is a reason to use another one", () => {
  const codes = Object.keys(errorKinds) as (keyof typeof errorKinds)[];
  expect(codes.filter((code) => isHostFailure(new TidegateError(code)))).toEqual([
    "database_unreachable",
    "database_tls_failed",
  ]);
});

describe("a read-only host", () => {
  test("is last, until it may be tried again", () => {
    const hosts = new HostFailover([first, second]);
    expect(hosts.readOnly(first, 1_000)).toBe(true);
    expect(hosts.candidates(1_000)).toEqual([second, first]);
    expect(hosts.candidates(1_000 + limits.readOnlyHostMs)).toEqual([first, second]);
  });

  test("is logged once", () => {
    const hosts = new HostFailover([first, second]);
    expect([1_000, 2_000, 1_000 + limits.readOnlyHostMs].map((now) => hosts.readOnly(first, now))).toEqual([
      ...[true, false, true],
    ]);
  });

  test("is tried first again after forget()", () => {
    const hosts = new HostFailover([first, second]);
    hosts.readOnly(first, 1_000);
    hosts.forget();
    expect(hosts.candidates(1_000)).toEqual([first, second]);
  });

  test("is better than none, and all hosts keep their order", () => {
    const hosts = new HostFailover([first, second]);
    for (const host of [first, second]) hosts.readOnly(host, 1_000);
    expect(hosts.candidates(1_000)).toEqual([first, second]);
    fail(hosts, second, 1_000);
    expect(hosts.candidates(1_000)).toEqual([first]);
  });
});
