import { describe, expect, test } from "vitest";
import { ValidateOnBorrow } from "../../../../../src/db/pool/connections/validate-on-borrow.ts";
import { limits } from "../../../../../src/limits.ts";

/** A session that was silent for some time, and that answers a ping or does not. */
class Silent {
  readonly #loss = Promise.withResolvers<string>();
  readonly lost = this.#loss.promise;
  readonly pings: number[] = [];
  isDestroyed = false;
  readonly silentMs: number;
  readonly #answers: boolean;

  constructor(silentMs: number, answers: boolean) {
    this.silentMs = silentMs;
    this.#answers = answers;
  }

  isSilentFor(ms: number): boolean {
    return this.silentMs >= ms && !this.isDestroyed;
  }

  async ping(withinMs: number): Promise<void> {
    this.pings.push(withinMs);
    if (this.#answers) return;
    this.destroy();
    throw new Error("no reply");
  }

  destroy(): void {
    this.isDestroyed = true;
    this.#loss.resolve("destroyed");
  }
}

function watched(...sessions: Silent[]): ValidateOnBorrow<Silent> {
  const liveness = new ValidateOnBorrow<Silent>();
  for (const session of sessions) liveness.watch(session);
  return liveness;
}

describe("a connection at checkout", () => {
  test("gets no ping if it sent something a moment ago", async () => {
    const session = new Silent(limits.idleTrustMs - 1, false);
    expect(await watched(session).isAlive(session)).toBe(true);
    expect(session.pings).toEqual([]);
  });

  test("gets a ping after a long silence, and is used if it answers", async () => {
    const session = new Silent(limits.idleTrustMs, true);
    expect(await watched(session).isAlive(session)).toBe(true);
    expect(session.pings).toEqual([limits.idlePingMs]);
  });

  test("without an answer, all connections with the same silence are closed, and no others", async () => {
    const [dead, silent, heard] = [new Silent(9_000, false), new Silent(8_000, true), new Silent(100, true)];
    expect(await watched(dead, silent, heard).isAlive(dead)).toBe(false);
    expect([dead, silent, heard].map(({ isDestroyed }) => isDestroyed)).toEqual([true, true, false]);
    expect(silent.pings).toEqual([]);
  });
});
