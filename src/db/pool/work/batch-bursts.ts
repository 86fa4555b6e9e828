import { TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import type { BoundValue } from "../../../sql/bound-value.ts";
import type { BatchValue, Reference } from "../../../sql/references.ts";
import type { BatchStatement } from "../../contract/requests.ts";
import type { Wanted } from "../../mysql/driver/prepared-cache.ts";
import { wantedKey } from "../../mysql/driver/prepared-cache.ts";
import type { Dialect } from "../../mysql/engines/dialect.ts";

/** A statement with all its values, ready for preparation. */
export interface ReadyStatement extends Wanted {
  values: readonly BoundValue[];
}

/** Statements to send together, in order. */
export interface PlannedBurst {
  statements: ReadyStatement[];
  /** The next statements after these, in order: as many as can be prepared in the same round trip. */
  ahead: Wanted[];
}

/** @returns the value of a reference, or the reason why there is none, as the end of a sentence */
export type Resolve = (reference: Reference) => BoundValue | string;

/**
 * Plans the next statements of a batch that need no result of each other. Their number is bounded by the
 * prepared statements of a connection and by the bytes on the way.
 * @param from the first statement; all earlier ones have results
 * @throws TidegateError `parameter_invalid` with the number of the statement
 */
export function nextBurst(
  statements: readonly BatchStatement[],
  from: number,
  { dialect, resolve }: { dialect: Dialect; resolve: Resolve },
): PlannedBurst {
  const burst: ReadyStatement[] = [];
  const room = new Room();
  let bytes = 0;
  for (const [index, statement] of statements.entries()) {
    if (index < from) continue;
    if (waitsFor(statement.values).some((earlier) => earlier >= from)) break;
    const values = resolved(statement.values, index, resolve);
    const one = { sql: dialect.comparedAloud(statement.sql, values), values };
    bytes += bytesOf(values);
    if (burst.length > 0 && bytes > limits.batchBurstBytes) break;
    if (!room.has(one)) break;
    burst.push(one);
  }
  const ahead: Wanted[] = [];
  for (const statement of statements.slice(from + burst.length)) {
    const wanted = foreseen(statement);
    if (!room.has(wanted)) break;
    ahead.push(wanted);
  }
  return { statements: burst, ahead };
}

/** The prepared statements that one connection can hold. */
class Room {
  readonly #keys = new Set<string>();

  /** @returns whether there is room for this statement too. If so, it takes the room */
  has(wanted: Wanted): boolean {
    const key = wantedKey(wanted);
    if (!this.#keys.has(key) && this.#keys.size >= limits.preparedStatementsPerConnection) return false;
    this.#keys.add(key);
    return true;
  }
}

function waitsFor(values: readonly BatchValue[]): number[] {
  return values.flatMap((value) => ("reference" in value ? [value.reference.statement] : []));
}

function resolved(values: readonly BatchValue[], statement: number, resolve: Resolve): BoundValue[] {
  const wrong = (detail: string) =>
    new TidegateError("parameter_invalid", { reason: "wrong_reference", detail, statement });
  let bytes = 0;
  return values.map((value, position) => {
    if (!("reference" in value)) return value;
    const found = resolve(value.reference);
    if (typeof found === "string") throw wrong(`What placeholder ${position + 1} refers to ${found}.`);
    bytes += bytesOf([found]);
    if (bytes > limits.batchReferredBytes)
      throw wrong(`What its placeholders refer to may have ${limits.batchReferredBytes} bytes together.`);
    return found;
  });
}

/** Roughly the bytes on the wire. Values that are not texts are short. */
function bytesOf(values: readonly BoundValue[]): number {
  return values.reduce(
    (sum, { value }) => sum + (typeof value === "string" ? Buffer.byteLength(value) : 8),
    0,
  );
}

/** The type of a row reference is unknown in advance; ids and counts are integers. */
function foreseen({ sql, values }: BatchStatement): Wanted {
  const refersToRow = values.some((value) => "reference" in value && typeof value.reference.of !== "string");
  if (refersToRow) return { sql, values: undefined };
  const integer: BoundValue = { type: "integer", value: 0, undeclared: true };
  return { sql, values: values.map((value) => ("reference" in value ? integer : value)) };
}
