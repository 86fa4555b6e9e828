import { Random } from "./random.ts";

/**
 * The kinds of faults of the database or of the way to it. During `restart`, `crash`, `black hole` and
 * `refuse` nothing can be committed. `kill`, `drop` and `evict` are over at once.
 */
export const faultKinds = [
  "restart",
  "crash",
  "kill",
  "drop",
  "black hole",
  "delay",
  "refuse",
  "evict",
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** Kinds during which no request can succeed. */
export const outages: ReadonlySet<FaultKind> = new Set(["restart", "crash", "black hole", "refuse"]);

export interface PlannedFault {
  kind: FaultKind;
  /** The pause before the fault. */
  pauseMs: number;
  /** How long the fault lasts. For an ended server, the time until its restart. */
  forMs: number;
  /** The strength, from 1 to 100: the percentage of killed connections, or the delay in milliseconds. */
  size: number;
}

const lengthsMs: Record<FaultKind, [from: number, to: number]> = {
  restart: [0, 2_000],
  crash: [0, 2_000],
  kill: [0, 0],
  drop: [0, 0],
  "black hole": [500, 6_000],
  delay: [1_000, 5_000],
  refuse: [300, 3_000],
  evict: [0, 0],
};

/** Longer than a COMMIT waits for its answer: the gateway must give up before the bytes arrive. */
const longBlackHoleMs: [from: number, to: number] = [16_000, 20_000];

/**
 * Plans faults without end: each kind once per round, in a new order each round, so that a short run has all
 * kinds. From the second round on, a black hole may be a long one.
 */
export function* planFaults(seed: number): Generator<PlannedFault, never> {
  const random = new Random(seed);
  for (let round = 0; ; round++) {
    for (const kind of random.shuffled(faultKinds)) {
      const isLong = kind === "black hole" && round > 0 && random.chance(0.25);
      const [from, to] = isLong ? longBlackHoleMs : lengthsMs[kind];
      yield {
        kind,
        pauseMs: random.between(500, 3_000),
        forMs: random.between(from, to),
        size: random.between(1, 100),
      };
    }
  }
}
