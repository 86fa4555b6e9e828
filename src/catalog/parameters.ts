import { limits } from "../limits.ts";
import { readElements } from "../sql/bind-values.ts";
import type { BoundValue } from "../sql/bound-value.ts";
import { readTyped, type ValueSource } from "../sql/declared-types.ts";
import {
  nameList,
  ParameterError,
  type ParameterFault,
  type ParameterReason,
  pointerOf,
} from "../sql/errors.ts";
import { type List, type Spread, spread } from "../sql/lists.ts";
import { claimPrefix } from "../sql/placeholders.ts";
import { misfitOf, misfitOfItems } from "./bounds.ts";
import { bindClaim } from "./claims.ts";
import type { Parameter, SavedQuery } from "./saved-query.ts";

export { ParameterError } from "../sql/errors.ts";

/** The name and text of each parameter in a query string, in the form of URLSearchParams. */
export type QueryStringInput = Iterable<readonly [string, string]>;

/**
 * Reads the caller's parameters for a saved query.
 *
 * @param input the pairs of a query string, or the JSON value of a body; undefined for an empty body
 * @param claims of the verified token; their values never come from `input`
 * @returns the statement, and a typed value for each `?` in order; an array gives one value per element
 * @throws ParameterError with every wrong parameter: `missing_parameter`, `surplus_parameter`,
 *   `duplicate_parameter`, `wrong_shape`, `wrong_type`, or a bound of the head; also `too_large`,
 *   `missing_claim` or `wrong_claim`
 */
export function readParameters(
  query: SavedQuery,
  input: QueryStringInput,
  source: "query-string",
  claims?: Readonly<Record<string, unknown>>,
): Spread<BoundValue>;
export function readParameters(
  query: SavedQuery,
  input: unknown,
  source: "json",
  claims?: Readonly<Record<string, unknown>>,
): Spread<BoundValue>;
export function readParameters(
  query: SavedQuery,
  input: unknown,
  source: ValueSource,
  claims: Readonly<Record<string, unknown>> = {},
): Spread<BoundValue> {
  const reader = new Reader(query.parameters, source);
  const values = reader.read(input);
  if (reader.faults.length > 0) throw errorOf(reader.faults);
  for (const claim of query.claims) values.set(claimPrefix + claim.name, bindClaim(claim, claims));
  const ordered = query.order.map((name) => {
    const value = values.get(name);
    if (value === undefined)
      throw new TypeError(`saved query ${query.name} orders ${name} without declaring it`);
    return value;
  });
  return spread(query.sql, ordered, (index) => query.order[index] ?? "");
}

/** @returns what is wrong with the parameters of a JSON body, up to a bound; empty if they fit */
export function faultsIn(parameters: readonly Parameter[], input: unknown): readonly ParameterFault[] {
  const reader = new Reader(parameters, "json");
  reader.read(input);
  return reader.faults.map(({ fault }) => fault);
}

interface NamedFault {
  name: string;
  fault: ParameterFault;
}

function errorOf(faults: readonly NamedFault[]): ParameterError {
  const [{ fault: first }] = faults as [NamedFault];
  const further = faults.length > 1 ? " The member errors lists the others too." : "";
  const names = [...new Set(faults.map(({ name }) => name).filter((name) => name !== ""))];
  return new ParameterError(
    first.reason,
    first.detail + further,
    names,
    faults.map(({ fault }) => fault),
  );
}

type Value = BoundValue | List<BoundValue>;

/** Reads all parameters, and collects what is wrong with them instead of stopping at the first one. */
class Reader {
  readonly faults: NamedFault[] = [];
  readonly #parameters: readonly Parameter[];
  readonly #source: ValueSource;

  constructor(parameters: readonly Parameter[], source: ValueSource) {
    this.#parameters = parameters;
    this.#source = source;
  }

  /** @returns the values by name; incomplete if there are faults */
  read(input: unknown): Map<string, Value> {
    const values = new Map<string, Value>();
    const repeated = new Set<string>();
    const given =
      this.#source === "json" ? this.#fromJson(input) : this.#fromPairs(input as QueryStringInput, repeated);
    if (given === undefined) return values;
    let known = 0;
    for (const parameter of this.#parameters) {
      const { name, required } = parameter;
      const isGiven = given.has(name);
      if (isGiven) known += 1;
      if (repeated.has(name)) this.#addRepeated(name);
      else if (!isGiven && required) this.#add(name, "missing_parameter", `Not given: ${nameList([name])}.`);
      else {
        const value = this.#readParameter(parameter, isGiven, isGiven ? given.get(name) : parameter.default);
        if (value !== undefined) values.set(name, value);
      }
    }
    if (known < given.size) this.#addUnknown(given, repeated);
    return values;
  }

  /**
   * Reads own properties only. `__proto__` in a JSON text is an ordinary name here, and no query has such a
   * parameter.
   */
  #fromJson(input: unknown): ReadonlyMap<string, unknown> | undefined {
    if (input === undefined) return new Map();
    if (typeof input === "object" && input !== null && !Array.isArray(input))
      return new Map(Object.entries(input));
    const detail = "Send the parameters as a JSON object.";
    this.faults.push({ name: "", fault: { path: "", reason: "wrong_shape", detail } });
    return undefined;
  }

  /** A parameter that is declared as an array may be repeated; its texts are the elements. */
  #fromPairs(input: QueryStringInput, repeated: Set<string>): ReadonlyMap<string, unknown> {
    const lists = new Set(this.#parameters.filter(({ list }) => list).map(({ name }) => name));
    const given = new Map<string, unknown>();
    for (const [name, text] of input) {
      const before = given.get(name);
      if (lists.has(name)) {
        if (Array.isArray(before)) before.push(text);
        else given.set(name, [text]);
        continue;
      }
      if (before !== undefined) repeated.add(name);
      given.set(name, text);
    }
    return given;
  }

  /**
   * A caller may send null if the default is null. A query string has no null, but it may omit the parameter.
   */
  #readParameter(parameter: Parameter, isGiven: boolean, value: unknown): Value | undefined {
    if (parameter.list) return this.#readList(parameter, value);
    if (value === null && parameter.default === null) return { type: "null", value: null };
    return this.#readOne(parameter, value, isGiven ? this.#source : "json");
  }

  #readList(parameter: Parameter, value: unknown): Value | undefined {
    const { name } = parameter;
    const misfit = Array.isArray(value) ? misfitOfItems(parameter, value.length) : undefined;
    const elements = misfit ? misfit.complaint : readElements(value);
    if (typeof elements === "string") {
      const complaint = misfit ? elements : `must be ${elements}`;
      this.#add(name, misfit?.reason ?? "wrong_type", `Parameter ${nameList([name])} ${complaint}.`);
      return undefined;
    }
    const list: BoundValue[] = [];
    for (const [index, element] of elements.entries()) {
      const bound = this.#readOne(parameter, element, this.#source, index);
      if (bound !== undefined) list.push(bound);
      else if (this.faults.length >= limits.faultsShown) break;
    }
    return { list };
  }

  /** @param index of an element of an array */
  #readOne(
    parameter: Parameter,
    value: unknown,
    source: ValueSource,
    index?: number,
  ): BoundValue | undefined {
    const { name, type } = parameter;
    const reading = readTyped(type, value, source);
    const isWrong = typeof reading === "string";
    const misfit = isWrong ? undefined : misfitOf(parameter, reading);
    if (!isWrong && misfit === undefined) return reading;
    const subject = index === undefined ? "Parameter" : "Each element of parameter";
    const complaint = misfit?.complaint ?? `must be ${String(reading)}`;
    this.#add(name, misfit?.reason ?? "wrong_type", `${subject} ${nameList([name])} ${complaint}.`, index);
    return undefined;
  }

  #addRepeated(name: string): void {
    this.#add(name, "duplicate_parameter", `Given more than once: ${nameList([name])}.`);
  }

  #addUnknown(given: ReadonlyMap<string, unknown>, repeated: ReadonlySet<string>): void {
    const known = new Set(this.#parameters.map(({ name }) => name));
    const advice = known.size === 0 ? "It takes none." : `It takes ${nameList([...known])}.`;
    for (const name of given.keys()) {
      if (this.faults.length >= limits.faultsShown) return;
      if (known.has(name)) continue;
      if (repeated.has(name)) this.#addRepeated(name);
      else this.#add(name, "surplus_parameter", `The query has no parameter ${nameList([name])}. ${advice}`);
    }
  }

  #add(name: string, reason: ParameterReason, detail: string, index?: number): void {
    if (this.faults.length >= limits.faultsShown) return;
    this.faults.push({ name, fault: { path: pointerOf(name, index), reason, detail } });
  }
}
