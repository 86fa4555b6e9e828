import { TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import type { BoundValue } from "../../../sql/bound-value.ts";
import type { Reference } from "../../../sql/references.ts";
import type { BatchRequest, BatchStatement } from "../../contract/requests.ts";
import { JsonEncoder } from "../../encode/json.ts";
import { valuesOf } from "../../encode/values.ts";
import type { Field } from "../../mysql/driver/field.ts";
import type { Dialect } from "../../mysql/engines/dialect.ts";
import { demandNoConversion, onlyWarns } from "../../mysql/session/implicit-conversion.ts";
import type { RowSink } from "../../mysql/session/row-sink.ts";
import type { StatementResult } from "../../mysql/session/statement-result.ts";

/** Receives the answer to one statement. */
export interface ResultSink extends RowSink {
  /**
   * The statement has ended.
   * @throws TidegateError `max_affected_exceeded`, `result_too_large`
   */
  end(outcome: StatementResult): void;
}

/** A result so far, and its rows that later statements refer to. */
interface Result {
  encoder: JsonEncoder;
  rows: number;
  fields: readonly Field[];
  kept: Map<number, readonly unknown[]>;
  outcome: StatementResult | undefined;
}

/**
 * The results of a batch, in memory until the COMMIT. Their size is bounded, because the caller reads none of
 * them before.
 */
export class BatchResults {
  readonly #work: BatchRequest;
  readonly #dialect: Dialect;
  readonly #stop: (why: TidegateError) => void;
  readonly #results: Result[] = [];
  readonly #wanted: ReadonlySet<string>;
  #bytes = 0;
  #isGivenUp = false;
  /** Set when the results are too large. The batch is then given up. */
  tooLarge: TidegateError | undefined;

  /** @param stop stops the batch */
  constructor(work: BatchRequest, dialect: Dialect, stop: (why: TidegateError) => void) {
    this.#dialect = dialect;
    this.#work = work;
    this.#stop = stop;
    this.#wanted = new Set(work.statements.flatMap(({ values }) => values.flatMap(rowOf)));
  }

  /**
   * @param statement with its bound values
   * @returns a sink for its answer. Answers come in the order of the statements
   */
  next(statement: Omit<BatchStatement, "values"> & { values: readonly BoundValue[] }): ResultSink {
    const { bounded, maxAffected } = statement;
    const { ceilings, shape } = this.#work;
    const encoder = new JsonEncoder(shape);
    const result: Result = { encoder, rows: 0, fields: [], kept: new Map(), outcome: undefined };
    const index = this.#results.push(result) - 1;
    const maxRows = bounded ? ceilings.rows : undefined;
    /** @param values gives the values of the row if a later statement refers to it */
    const addRow = (values: () => readonly unknown[], write: () => void) => {
      if (this.#isGivenUp) return;
      if (maxRows !== undefined && result.rows >= maxRows)
        return this.#refuse(index, `It may have ${maxRows} rows.`);
      if (this.#wanted.has(`${index}.${result.rows}`)) result.kept.set(result.rows, values());
      this.#add(index, write);
      result.rows += 1;
    };
    return {
      columns: (fields) => {
        result.fields = fields;
        this.#add(index, () => encoder.columns(fields));
      },
      row: (row) =>
        addRow(
          () => valuesOf(result.fields, row),
          () => encoder.row(row),
        ),
      values: (values) =>
        addRow(
          () => values,
          () => encoder.values(values),
        ),
      answered: () => {},
      end: (outcome) => {
        result.outcome = outcome;
        if (onlyWarns(this.#dialect, statement, statement.values)) demandNoConversion(outcome);
        if (maxAffected !== undefined && outcome.rowsAffected > maxAffected) {
          throw new TidegateError("max_affected_exceeded", {
            detail: `It affected ${outcome.rowsAffected} rows and may affect ${maxAffected}.`,
          });
        }
        this.#add(index, () => encoder.end(outcome));
        if (this.tooLarge) throw this.tooLarge;
      },
    };
  }

  /** A statement has failed: drop the answers of the others. */
  giveUp(): void {
    this.#isGivenUp = true;
  }

  #add(index: number, write: () => void): void {
    const result = this.#results[index];
    if (!result || this.#isGivenUp) return;
    const before = result.encoder.waiting;
    write();
    this.#bytes += result.encoder.waiting - before;
    const max = Math.min(this.#work.ceilings.bytes ?? limits.batchResultBytes, limits.batchResultBytes);
    if (this.#bytes > max) this.#refuse(index, `The results of a batch may have ${max} bytes together.`);
  }

  #refuse(statement: number, detail: string): void {
    this.#isGivenUp = true;
    this.tooLarge = new TidegateError("result_too_large", { detail, statement });
    this.#stop(this.tooLarge);
  }

  /** @returns the value, or the reason why there is none, as the end of a sentence */
  resolve({ statement, of }: Reference): BoundValue | string {
    const result = this.#results[statement];
    if (!result?.outcome) return "has no result";
    const { rowsAffected, lastInsertId } = result.outcome;
    if (of === "rows_affected") return { type: "integer", value: rowsAffected, undeclared: true };
    if (of === "last_insert_id") {
      if (lastInsertId === null) return "made no id";
      return { type: "integer", value: BigInt(lastInsertId), undeclared: true };
    }
    const row = result.kept.get(of.row);
    if (!row) return "has no such row";
    const column = result.fields.findLastIndex(({ name }) => name === of.column);
    const field = result.fields[column];
    return field ? boundValue(row[column], field) : "has no such column";
  }

  /** The answer's body, which can be taken once. */
  body(): Uint8Array {
    const results = this.#results.flatMap(({ encoder }, index) => [
      Buffer.from(index > 0 ? "," : '{"results":['),
      encoder.take(),
    ]);
    return Buffer.concat([...results, Buffer.from(this.#results.length > 0 ? "]}" : '{"results":[]}')]);
  }
}

/** @returns the row of an earlier result that a value refers to */
function rowOf(value: BatchRequest["statements"][number]["values"][number]): string[] {
  if (!("reference" in value) || typeof value.reference.of === "string") return [];
  return [`${value.reference.statement}.${value.reference.of.row}`];
}

/** Field types (of the protocol) that the driver gives as texts or bytes, though their values are numbers. */
const bigint = 0x08;
const bit = 0x10;
const decimals: readonly number[] = [0x00, 0xf6];

/**
 * A value from a row counts as undeclared, like a caller's value: it must not silently match another type.
 */
function boundValue(value: unknown, field: Field): BoundValue | string {
  const bound = typedValue(value, field);
  const isUndeclared = typeof bound === "object" && bound.type !== "null" && bound.type !== "binary";
  return isUndeclared ? { ...bound, undeclared: true } : bound;
}

function typedValue(value: unknown, { columnType }: Field): BoundValue | string {
  if (value === null) return { type: "null", value };
  if (typeof value === "number") {
    return Number.isSafeInteger(value) ? { type: "integer", value } : { type: "number", value };
  }
  if (value instanceof Uint8Array) {
    const bytes = Buffer.from(value);
    return columnType === bit
      ? { type: "integer", value: BigInt(`0x${bytes.toString("hex")}`) }
      : { type: "binary", value: bytes.toString("base64") };
  }
  if (typeof value !== "string") return "is neither text, bytes nor a number";
  if (columnType === bigint) return { type: "integer", value: BigInt(value) };
  return { type: decimals.includes(columnType) ? "decimal" : "string", value };
}
