import { limits } from "../limits.ts";
import type { Algorithm } from "./algorithms.ts";
import { fitsAlgorithm } from "./algorithms.ts";
import type { KeySet } from "./key-set.ts";
import { usableKeys } from "./key-set.ts";

/** What the operator should know of an issuer's keys: do they fit the algorithms, and can they be told apart? */

type Key = KeySet["keys"][number];

/**
 * @param keys usable ones, at least one
 * @returns why the issuer's tokens are all refused; undefined if some key is for one of its algorithms
 */
export function keyMistake(keys: readonly Key[], algorithms: readonly Algorithm[]): string | undefined {
  if (keys.some((key) => isUsed(key, algorithms))) return undefined;
  return `none of its keys is for ${algorithms.join(", ")}; they are for ${describeKeys(keys)}: correct algorithms`;
}

/**
 * @param keys usable ones
 * @returns one line for each finding that keeps some tokens out, or costs time
 */
export function keyWarnings(keys: readonly Key[], algorithms: readonly Algorithm[]): string[] {
  const lacking = algorithms.filter((algorithm) => !keys.some((key) => fitsAlgorithm(key, algorithm)));
  const unused = keys.filter((key) => !isUsed(key, algorithms));
  const shared = [...Map.groupBy(keys, ({ kid }) => kid)].flatMap(([kid, group]) =>
    kid !== undefined && group.length > 1 ? [shown(kid)] : [],
  );
  const crowded = algorithms.filter(
    (algorithm) => keys.filter((key) => fitsAlgorithm(key, algorithm)).length > limits.keysTried,
  );
  return [
    ...(lacking.length > 0 ? [`it has no key for ${lacking.join(", ")} of algorithms`] : []),
    ...(unused.length > 0
      ? [`keys that are for none of algorithms are not used: ${listed(unused.map(named))}`]
      : []),
    ...(shared.length > 0
      ? [`several keys have the same kid, and a token that names it is tried with each: ${listed(shared)}`]
      : []),
    ...crowded.map(
      (algorithm) =>
        `it has more than ${limits.keysTried} keys for ${algorithm}: a token that names none is tried with the first ${limits.keysTried}`,
    ),
  ];
}

/**
 * What is wrong with the keys in a policy. A key that cannot be used is a mistake there, since the policy's author can
 * take it out; a key for something else is none, while others are left.
 * @param at the place of the keys
 */
export function staticKeyFindings(
  jwks: KeySet,
  algorithms: readonly Algorithm[],
  at: string,
): { mistakes: string[]; warnings: string[] } {
  const { jwks: usable, refused, foreign } = usableKeys(jwks);
  const hasKey = usable.keys.length > 0;
  const mistake = hasKey ? keyMistake(usable.keys, algorithms) : undefined;
  return {
    mistakes: [
      ...[...refused, ...(hasKey ? [] : foreign)].map((reason) => `${at}.${reason}`),
      ...(mistake === undefined ? [] : [`${at}: ${mistake}`]),
    ],
    warnings: [
      ...foreign.map((reason) => `${at}.${reason}; it is not used`),
      ...keyWarnings(usable.keys, algorithms).map((warning) => `${at}: ${warning}`),
    ],
  };
}

/** @returns the keys' algorithms, or their kinds where they name none, without repeats */
export function describeKeys(keys: readonly Key[]): string {
  return listed([...new Set(keys.map(kindOf))]);
}

function isUsed(key: Key, algorithms: readonly Algorithm[]): boolean {
  return algorithms.some((algorithm) => fitsAlgorithm(key, algorithm));
}

function named(key: Key): string {
  return key.kid === undefined ? `one without kid (${kindOf(key)})` : `${shown(key.kid)} (${kindOf(key)})`;
}

/** Usable keys have known words here. */
function kindOf({ alg, kty, crv }: Key): string {
  if (alg !== undefined) return String(alg);
  return kty === "RSA" ? "RSA" : `${kty} ${crv}`;
}

/** An issuer may write anything into a kid, and a terminal obeys control characters. */
function shown(kid: unknown): string {
  if (typeof kid !== "string") return "a kid that is no text";
  const text = kid.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ");
  return JSON.stringify(text.slice(0, limits.nameCharacters));
}

function listed(names: readonly string[]): string {
  const more = names.length > limits.namesShown ? ", .." : "";
  return names.slice(0, limits.namesShown).join(", ") + more;
}
