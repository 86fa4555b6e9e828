import { limits } from "../limits.ts";

export const proofOutcomes = ["fresh", "replayed", "nonce_required"] as const;

/** The result for a proof. `nonce` is for the client's next proof. */
export interface ProofDecision {
  outcome: (typeof proofOutcomes)[number];
  nonce: string;
}

/**
 * A nonce, the time from which the object hands it out (ms since the epoch), and the proofs that were made
 * with it.
 */
interface Window {
  nonce: string;
  since: number;
  seen: Set<string>;
}

/**
 * The nonces of one key, and the proofs that were used with them (RFC 9449 §8, §9, §11.1). A proof is only
 * accepted with one of the two newest nonces. So a proof can be forgotten together with its nonce: it is not
 * accepted again. A restart forgets proofs and nonces together, so the same holds.
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
   * @param id of the proof, unique
   * @param now milliseconds since the epoch
   */
  use(nonce: string | undefined, id: string, now: number): ProofDecision {
    const newest = this.#turn(now);
    const window = this.#windows.find((candidate) => candidate.nonce === nonce);
    if (!window) return { outcome: "nonce_required", nonce: newest.nonce };
    if (window.seen.has(id)) return { outcome: "replayed", nonce: newest.nonce };
    window.seen.add(id);
    // A full old window accepts no more proofs. A client that still uses its nonce gets the newest one.
    if (window.seen.size >= limits.proofsPerNonce && window !== newest) this.#windows.pop();
    return { outcome: "fresh", nonce: this.#turn(now).nonce };
  }

  /** @returns the newest window. Makes a new one if it is old or full, and drops windows that are too old */
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
