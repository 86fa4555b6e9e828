import { limits } from "../limits.ts";

export const proofOutcomes = ["fresh", "replayed", "nonce_required"] as const;

/** What became of a proof; `nonce` is the one that the client's next proof must carry. */
export interface ProofDecision {
  outcome: (typeof proofOutcomes)[number];
  nonce: string;
}

/** A nonce, since when it is given out (ms since the epoch), and the proofs that were made with it. */
interface Window {
  nonce: string;
  since: number;
  seen: Set<string>;
}

/**
 * One key's nonces and the proofs that have been seen with them (RFC 9449 §8, §9, §11.1). A proof counts only with
 * one of the two newest nonces, so what is remembered ends with the nonce: nothing is forgotten that could
 * come again. That holds for a restart too, which forgets the nonces with the proofs.
 */
export class ProofWindow {
  /** Newest first, two at most. */
  #windows: Window[] = [];
  readonly #makeNonce: () => string;

  /** @param makeNonce must be unpredictable */
  constructor(makeNonce: () => string) {
    this.#makeNonce = makeNonce;
  }

  /**
   * @param id names the proof, never two
   * @param now milliseconds since the epoch
   */
  use(nonce: string | undefined, id: string, now: number): ProofDecision {
    const newest = this.#turn(now);
    const window = this.#windows.find((candidate) => candidate.nonce === nonce);
    if (!window) return { outcome: "nonce_required", nonce: newest.nonce };
    if (window.seen.has(id)) return { outcome: "replayed", nonce: newest.nonce };
    window.seen.add(id);
    // A full window takes no more: its nonce has served, and a client that goes on with it gets the newest.
    if (window.seen.size >= limits.proofsPerNonce && window !== newest) this.#windows.pop();
    return { outcome: "fresh", nonce: this.#turn(now).nonce };
  }

  /** Gives out a new nonce where the newest is old or full, and ends those that are too old. */
  #turn(now: number): Window {
    const ageMs = (window: Window) => now - window.since;
    this.#windows = this.#windows.filter((window) => ageMs(window) < 2 * limits.proofNonceAgeMs);
    const [newest] = this.#windows;
    if (newest && ageMs(newest) < limits.proofNonceAgeMs && newest.seen.size < limits.proofsPerNonce) {
      return newest;
    }
    const window: Window = { nonce: this.#makeNonce(), since: now, seen: new Set() };
    this.#windows = [window, ...this.#windows.slice(0, 1)];
    return window;
  }
}
