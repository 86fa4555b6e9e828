import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { AdminConnection } from "../../../../../src/db/pool/connections/admin-connection.ts";
import { FakeConnection } from "./fake-connection.ts";
import { settle } from "./fake-pool.ts";

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

class FakeControl extends FakeConnection {
  server = "one";
  pings = 0;
  readonly kills: {
    other: FakeControl;
    acknowledge: (acknowledged: boolean) => void;
    fail: (error: Error) => void;
  }[] = [];

  async ping(): Promise<void> {
    this.pings += 1;
  }

  reaches(other: FakeControl): boolean {
    return this.server === other.server;
  }

  kill(other: FakeControl): Promise<boolean> {
    return new Promise((acknowledge, fail) => this.kills.push({ other, acknowledge, fail }));
  }
}

function setUp(refuse = false, elsewhere?: string) {
  const opened: FakeControl[] = [];
  const killed: boolean[] = [];
  const control = new AdminConnection<FakeControl>({
    open: async (other) => {
      if (refuse) throw new Error("no more connections");
      const connection = new FakeControl();
      connection.server = elsewhere ?? other?.server ?? "one";
      opened.push(connection);
      return connection;
    },
    lifetimeMs: 10_000,
    idleMs: 2_000,
    killed: (acknowledged) => killed.push(acknowledged),
  });
  return { control, opened, killed };
}

describe("the admin connection", () => {
  test("is opened ahead, once, and used for the KILL", async () => {
    const { control, opened, killed } = setUp();
    control.prepare(new FakeControl());
    control.prepare(new FakeControl());
    await settle();
    expect(opened).toHaveLength(1);
    const victim = new FakeControl();
    const killing = control.kill(victim);
    await settle();
    expect(opened[0]?.kills[0]?.other).toBe(victim);
    opened[0]?.kills[0]?.acknowledge(true);
    expect(await killing).toBe(true);
    expect(opened).toHaveLength(1);
    expect(killed).toEqual([true]);
  });

  test("that is on another server than the statement is replaced by one on its host", async () => {
    const { control, opened } = setUp();
    control.prepare(new FakeControl());
    await settle();
    const victim = new FakeControl();
    victim.server = "two";
    void control.kill(victim);
    await settle();
    expect(opened).toHaveLength(2);
    expect(opened[0]).toMatchObject({ closed: 1, kills: [] });
    expect(opened[1]?.kills).toHaveLength(1);
  });

  test("that always leads to another server kills nothing", async () => {
    const { control, opened } = setUp(false, "two");
    expect(await control.kill(new FakeControl())).toBe(false);
    expect(opened.map(({ kills }) => kills)).toEqual([[], []]);
  });

  test("does nothing for a lost connection", async () => {
    const { control, opened } = setUp();
    const victim = new FakeControl();
    victim.lose();
    expect(await control.kill(victim)).toBe(false);
    expect(opened).toEqual([]);
  });

  test("checks whether the server answers, after earlier work", async () => {
    const { control, opened } = setUp();
    const killing = control.kill(new FakeControl());
    const pinging = control.ping();
    await settle();
    expect(opened[0]?.pings).toBe(0);
    opened[0]?.kills[0]?.acknowledge(true);
    await killing;
    await pinging;
    expect(opened[0]?.pings).toBe(1);
    await expect(setUp(true).control.ping()).rejects.toThrow("no more connections");
  });

  test("kills one statement at a time", async () => {
    const { control, opened } = setUp();
    const killings = [control.kill(new FakeControl()), control.kill(new FakeControl())];
    await settle();
    expect(opened[0]?.kills).toHaveLength(1);
    opened[0]?.kills[0]?.acknowledge(true);
    await settle();
    expect(opened[0]?.kills).toHaveLength(2);
    opened[0]?.kills[1]?.acknowledge(false);
    expect(await Promise.all(killings)).toEqual([true, false]);
  });

  test("closes when it is idle, and not before", async () => {
    const { control, opened } = setUp();
    control.prepare(new FakeControl());
    await vi.advanceTimersByTimeAsync(1_500);
    control.prepare(new FakeControl());
    await vi.advanceTimersByTimeAsync(1_999);
    expect(opened[0]?.closed).toBe(0);
    await vi.advanceTimersByTimeAsync(1);
    expect(opened[0]?.closed).toBe(1);
    // No timer is left that would keep the object awake.
    expect(vi.getTimerCount()).toBe(0);
  });

  test("that is too old is replaced at the next use", async () => {
    const { control, opened } = setUp();
    for (let i = 0; i < 9; i++) {
      control.prepare(new FakeControl());
      await vi.advanceTimersByTimeAsync(1_400);
    }
    expect(opened).toHaveLength(2);
    expect(opened[0]?.closed).toBe(1);
  });

  test("that is lost is replaced", async () => {
    const { control, opened } = setUp();
    control.prepare(new FakeControl());
    await settle();
    opened[0]?.lose();
    await settle();
    control.prepare(new FakeControl());
    await settle();
    expect(opened).toHaveLength(2);
  });

  test("that does not answer is replaced, and the session that it should kill is not used again", async () => {
    const { control, opened, killed } = setUp();
    control.prepare(new FakeControl());
    await settle();
    const killing = control.kill(new FakeControl());
    await settle();
    opened[0]?.lose("no reply within 1500 ms");
    opened[0]?.kills[0]?.fail(new Error("no reply"));
    await settle();
    expect(opened).toHaveLength(2);
    opened[1]?.kills[0]?.acknowledge(true);
    expect(await killing).toBe(false);
    expect(killed).toEqual([false]);
  });

  test("that cannot be opened acknowledges nothing", async () => {
    const { control, killed } = setUp(true);
    control.prepare(new FakeControl());
    expect(await control.kill(new FakeControl())).toBe(false);
    expect(killed).toEqual([false]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
