import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ProofWindow } from "../../../src/auth/proof-window.ts";
import { limits } from "../../../src/limits.ts";

const { proofNonceAgeMs, proofsPerNonce } = limits;

/** A window whose nonces are n1, n2, n3 and so on. */
function makeWindow(): ProofWindow {
  let count = 0;
  return new ProofWindow(() => `n${++count}`);
}

describe("a nonce", () => {
  test("is demanded if the proof has none, and given out", () => {
    expect(makeWindow().use(undefined, "a", 0)).toEqual({ outcome: "nonce_required", nonce: "n1" });
  });

  test("is demanded if the proof's nonce is unknown", () => {
    const window = makeWindow();
    window.use(undefined, "a", 0);
    expect(window.use("n0", "a", 0)).toEqual({ outcome: "nonce_required", nonce: "n1" });
  });

  test("a guess of the first one is not accepted", () => {
    expect(makeWindow().use("n0", "a", 0).outcome).toBe("nonce_required");
  });

  test.each([
    ["is given out until it is old", proofNonceAgeMs - 1, "fresh", "n1"],
    ["is taken when it is old, with a new one in the answer", proofNonceAgeMs, "fresh", "n2"],
    ["is taken as long again", 2 * proofNonceAgeMs - 1, "fresh", "n2"],
    ["then no more", 2 * proofNonceAgeMs, "nonce_required", "n2"],
  ])("%s", (_, now, outcome, nonce) => {
    const window = makeWindow();
    window.use(undefined, "a", 0);
    expect(window.use("n1", "b", now)).toEqual({ outcome, nonce });
  });

  test("from before the last one is not accepted", () => {
    const window = makeWindow();
    for (const turn of [0, 1, 2]) window.use(undefined, "a", turn * proofNonceAgeMs);
    expect(window.use("n1", "b", 2 * proofNonceAgeMs).outcome).toBe("nonce_required");
    expect(window.use("n2", "b", 2 * proofNonceAgeMs).outcome).toBe("fresh");
    expect(window.use("n3", "c", 2 * proofNonceAgeMs).outcome).toBe("fresh");
  });

  test("survives a clock that runs backwards", () => {
    const window = makeWindow();
    window.use(undefined, "a", 1_000_000);
    expect(window.use("n1", "b", 0)).toEqual({ outcome: "fresh", nonce: "n1" });
  });
});

describe("a proof", () => {
  test("counts once", () => {
    const window = makeWindow();
    window.use(undefined, "a", 0);
    expect(window.use("n1", "a", 0).outcome).toBe("fresh");
    expect(window.use("n1", "a", 0).outcome).toBe("replayed");
    expect(window.use("n1", "a", 2 * proofNonceAgeMs - 1).outcome).toBe("replayed");
  });

  test("without a nonce may come again with a nonce", () => {
    const window = makeWindow();
    window.use(undefined, "a", 0);
    expect(window.use("n1", "a", 0).outcome).toBe("fresh");
  });

  test("that fills the nonce's memory brings a new nonce, and earlier proofs are still remembered", () => {
    const window = makeWindow();
    window.use(undefined, "a", 0);
    for (let i = 1; i < proofsPerNonce; i++) expect(window.use("n1", `p${i}`, 0).nonce).toBe("n1");
    expect(window.use("n1", "last", 0)).toEqual({ outcome: "fresh", nonce: "n2" });
    expect(window.use("n1", "p1", 0).outcome).toBe("replayed");
    expect(window.use("n2", "p1", 0).outcome).toBe("fresh");
  });

  test("with an old nonce whose memory is full ends this nonce, so memory is bounded", () => {
    const window = makeWindow();
    window.use(undefined, "a", 0);
    for (let i = 0; i < proofsPerNonce - 1; i++) window.use("n1", `p${i}`, 0);
    window.use(undefined, "turn", proofNonceAgeMs);
    expect(window.use("n1", "last", proofNonceAgeMs)).toEqual({ outcome: "fresh", nonce: "n2" });
    expect(window.use("n1", "p1", proofNonceAgeMs).outcome).toBe("nonce_required");
  });
});

test("no proof counts twice with one nonce, in any order of nonces, proofs and times", () => {
  const step = fc.record({
    nonce: fc.integer({ min: 0, max: 6 }),
    id: fc.integer({ min: 0, max: 5 }),
    waitMs: fc.constantFrom(0, 1, proofNonceAgeMs - 1, proofNonceAgeMs, 3 * proofNonceAgeMs),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const window = makeWindow();
      const counted = new Set<string>();
      let now = 0;
      for (const { nonce, id, waitMs } of steps) {
        now += waitMs;
        const { outcome } = window.use(`n${nonce}`, String(id), now);
        if (outcome !== "fresh") continue;
        expect(counted.has(`${nonce}/${id}`)).toBe(false);
        counted.add(`${nonce}/${id}`);
      }
    }),
  );
});
