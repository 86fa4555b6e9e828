import type { Middle } from "../lib/figures.ts";
import { middle, table } from "../lib/figures.ts";
import type { Asked, Place } from "./client.ts";

/** The cost of a request, by the place where its issuer's keys are. */
export interface KeysReport {
  rounds: number;
  newIsolateRounds: number;
  /** Isolates that have served for some time. */
  running: PlaceReport[];
  /** After a restart of everything; the objects still have their storage. */
  restarted: PlaceReport[];
  /** The first request of an isolate. */
  newIsolates: PlaceReport[];
}

export interface PlaceReport {
  place: Place;
  /** Per request: exact, and the same in every round. */
  hops: number;
  fetches: number;
  ms: Middle;
  /**
   * Compared with the request of the same round whose keys are in the policy: as a quotient, and as a
   * difference.
   */
  ratio: Middle;
  moreMs: Middle;
}

const labels: Record<Place, string> = {
  remembered: "token remembered",
  copy: "keys in the isolate's copy",
  static: "keys in the policy, first token",
  object: "keys in the Keys object",
  stored: "keys in the object's storage",
  issuer: "keys at the issuer",
};

/** @throws Error if requests of one place differ in hops or fetches */
export function placesReport(asked: Asked[]): PlaceReport[] {
  const baseline = asked.filter(({ place }) => place === "static");
  const places = (Object.keys(labels) as Place[]).filter((name) => asked.some(({ place }) => place === name));
  return places.map((name) => {
    const here = asked.filter(({ place }) => place === name);
    const beside = here.map(({ round }) => baseline.find((other) => other.round === round)?.ms ?? NaN);
    return {
      place: name,
      hops: same(
        name,
        "hops",
        here.map(({ hops }) => hops),
      ),
      fetches: same(
        name,
        "fetches",
        here.map(({ fetches }) => fetches),
      ),
      ms: middle(here.map(({ ms }) => ms)),
      ratio: middle(here.map(({ ms }, i) => ms / (beside[i] ?? NaN))),
      moreMs: middle(here.map(({ ms }, i) => ms - (beside[i] ?? NaN))),
    };
  });
}

function same(place: Place, what: string, counts: number[]): number {
  const [first = NaN] = counts;
  const others = new Set(counts);
  if (others.size === 1 && !Number.isNaN(first)) return first;
  throw new Error(
    `${labels[place]}: the number of ${what} is not the same each time: ${[...others].join(", ")}`,
  );
}

/** The report as text for a terminal. */
export function formatKeys({
  rounds,
  newIsolateRounds,
  running,
  restarted,
  newIsolates,
}: KeysReport): string[] {
  return [
    "",
    "where an issuer's keys are: one request at a time, refused after the token; hops and fetches are exact",
    ...formatPlaces(`isolates that run, ${rounds} rounds`, running),
    ...formatPlaces(`after a restart of all, ${rounds} rounds`, restarted),
    ...formatPlaces(`first request of an isolate, ${newIsolateRounds}`, newIsolates),
    "  (in parentheses the middle half of the rounds; ratio and more: against keys in the policy, same round)",
  ];
}

function formatPlaces(title: string, places: PlaceReport[]): string[] {
  const rows = places.map(({ place, hops, fetches, ms, ratio, moreMs }) => [
    labels[place],
    String(hops),
    String(fetches),
    `${ms.median.toFixed(2)}  (${ms.low.toFixed(2)} to ${ms.high.toFixed(2)})`,
    `${ratio.median.toFixed(2)}  (${ratio.low.toFixed(2)} to ${ratio.high.toFixed(2)})`,
    `${moreMs.median.toFixed(2)}  (${moreMs.low.toFixed(2)} to ${moreMs.high.toFixed(2)})`,
  ]);
  return [
    "",
    ...table([[title, "hops", "fetches", "ms", "ratio", "more ms"], ...rows], [36, 7, 9, 26, 24, 26]),
  ];
}
