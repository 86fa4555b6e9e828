import type { Claim } from "../../src/catalog/claims.ts";
import type { Parameter, SavedQuery } from "../../src/catalog/saved-query.ts";
import type { BoundValue } from "../../src/sql/bound-value.ts";
import { readTyped, type ValueType } from "../../src/sql/declared-types.ts";
import type { List, Spread } from "../../src/sql/lists.ts";
import { spread } from "../../src/sql/lists.ts";
import { claimPrefix } from "../../src/sql/placeholders.ts";

/** Values for EXPLAIN: those of the first @example, else defaults, else values within the bounds. Pure. */

/** @returns the statement with a value for each `?` */
export function sampleOf(query: SavedQuery): Spread<BoundValue> {
  const values = new Map<string, BoundValue | List<BoundValue>>([
    ...query.parameters.map((parameter) => [parameter.name, ofParameter(query, parameter)] as const),
    ...query.claims.map((claim) => [claimPrefix + claim.name, ofClaim(claim)] as const),
  ]);
  const ordered = query.order.map((name) => values.get(name) ?? nothing);
  return spread(query.sql, ordered, (index) => query.order[index] ?? "");
}

const nothing: BoundValue = { type: "null", value: null };

function ofParameter({ examples }: SavedQuery, parameter: Parameter): BoundValue | List<BoundValue> {
  const { name, type, list, items } = parameter;
  const given = examples[0]?.parameters ?? {};
  const value = Object.hasOwn(given, name) ? given[name] : parameter.default;
  const made = madeOf(parameter);
  if (list) {
    const elements = Array.isArray(value) ? value : Array(Math.min(items?.least ?? 1, 1000)).fill(made);
    return { list: elements.map((element) => read(type, element, made)) };
  }
  return value === null ? nothing : read(type, value ?? made, made);
}

/** @param made a value that fits the type */
function read(type: ValueType, value: unknown, made: unknown): BoundValue {
  const readings = [value, made].map((one) => readTyped(type, one, "json"));
  return readings.find((reading) => typeof reading !== "string") ?? nothing;
}

function madeOf({ type, enum: members, min, max, length }: Parameter): unknown {
  if (members?.[0] !== undefined) return members[0];
  if (type === "string") return "a".repeat(Math.min(Math.max(length?.least ?? 1, 1), 1000));
  return min ?? max ?? samples[type];
}

const samples: Readonly<Record<ValueType, unknown>> = {
  string: "a",
  integer: 1,
  number: 1,
  boolean: true,
  decimal: "1",
  date: "2026-01-01",
  datetime: "2026-01-01T00:00:00Z",
};

/** The text 1 is a number too, where an undeclared claim stands beside one. */
function ofClaim({ type, list }: Claim): BoundValue | List<BoundValue> {
  const value: BoundValue =
    type === undefined ? { type: "string", value: "1" } : read(type, samples[type], samples[type]);
  return list ? { list: [value] } : value;
}
