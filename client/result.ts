import type { Column, Conversions, RowReader } from "./columns.ts";
import { elements, rowReader } from "./columns.ts";
import { ownError, TidegateError } from "./error.ts";
import { linesOf } from "./lines.ts";
import type { Call } from "./sender.ts";

/** What the database says of a statement (docs/reference/http.md#what-stands-behind-the-rows). */
export interface Counts {
  rowsAffected: number;
  /** Of an UPDATE. */
  rowsChanged: number | null;
  /** Digits, since it may have 64 bits. */
  lastInsertId: string | null;
  info: string | null;
  warnings: { level: string; code: number; message: string }[] | null;
}

/** The whole answer to a statement. */
export interface Result<Row> extends Counts {
  columns: readonly Column[];
  rows: Row[];
  /** Every result set: a CALL may have several, and `columns` and `rows` are those of the first one. */
  sets: readonly { columns: readonly Column[]; rows: Row[] }[];
}

interface WireCounts {
  rows_affected: number;
  rows_changed: number | null;
  last_insert_id: string | null;
  info: string | null;
  warnings: Counts["warnings"];
}
interface WireResult extends WireCounts {
  columns: Column[];
  rows: unknown[][];
}

export const ndjson = "application/x-ndjson";

const countsOf = (wire: WireCounts): Counts => ({
  rowsAffected: wire.rows_affected,
  rowsChanged: wire.rows_changed,
  lastInsertId: wire.last_insert_id,
  info: wire.info,
  warnings: wire.warnings,
});

type Part<Row> = { columns: Column[] } | { rows: Row[] } | { counts: Counts };

/**
 * Reads an answer of lines (NDJSON with `rows=array`), piece by piece. It is whole only if the counts stand at its end.
 * @throws TidegateError also that of the last line, of a statement that failed after its first rows
 */
export async function* partsOf<Row>(
  response: Response,
  conversions: Conversions,
  call: Call,
): AsyncGenerator<Part<Row>, void, undefined> {
  const cut = cutOf(call);
  const body = bodyOf(response, ndjson);
  if (body === null) throw cut();
  let reader: RowReader<Row> | undefined;
  let isWhole = false;
  for await (const lines of linesOf(body, cut)) {
    let rows: Row[] = [];
    for (const line of lines) {
      const value = parse(line, cut);
      if (isWhole) throw cut();
      if (Array.isArray(value)) {
        if (reader === undefined) throw cut();
        rows.push(reader.read(value, reader.isText ? elements(line) : []));
        continue;
      }
      if (rows.length > 0) yield { rows };
      rows = [];
      if (value.error) throw new TidegateError(value.error, value.error.status);
      if (value.columns) {
        reader = rowReader(value.columns, conversions);
        yield { columns: value.columns };
      } else {
        isWhole = true;
        yield { counts: countsOf(value) };
      }
    }
    if (rows.length > 0) yield { rows };
  }
  if (!isWhole) throw cut();
}

/** Reads an answer of lines to its end. */
export async function collect<Row>(
  response: Response,
  conversions: Conversions,
  call: Call,
): Promise<Result<Row>> {
  const sets: { columns: Column[]; rows: Row[] }[] = [];
  let counts: Counts | undefined;
  for await (const part of partsOf<Row>(response, conversions, call)) {
    if ("columns" in part) sets.push({ columns: part.columns, rows: [] });
    else if ("rows" in part) for (const row of part.rows) sets.at(-1)?.rows.push(row);
    else counts = part.counts;
  }
  const [first = { columns: [], rows: [] }] = sets;
  return { ...first, sets, ...(counts as Counts) };
}

/** Reads the results of a batch. */
export async function batchResults(
  response: Response,
  conversions: Conversions,
  call: Call,
): Promise<Result<unknown>[]> {
  const { text, value } = await readJson(response, call);
  let texts: string[][] | undefined;
  return (value.results as WireResult[]).map((wire, index) => {
    const reader = rowReader(wire.columns, conversions);
    if (reader.isText) texts ??= rowTexts(text);
    const rows = wire.rows.map((row, at) =>
      reader.read(row, reader.isText ? elements(texts?.[index]?.[at] ?? "") : []),
    );
    const set = { columns: wire.columns, rows };
    return { ...set, sets: [set], ...countsOf(wire) };
  });
}

/** @returns the JSON of each row of each result */
function rowTexts(text: string): string[][] {
  const member = (object: string, name: string) =>
    elements(object)
      .find((one) => one.startsWith(`"${name}":`))
      ?.slice(name.length + 3) ?? "";
  return elements(member(text, "results")).map((result) => elements(member(result, "rows")));
}

/** Reads an answer of one JSON value. */
// biome-ignore lint/suspicious/noExplicitAny: each endpoint has its own form
export async function readJson(response: Response, call: Call): Promise<{ text: string; value: any }> {
  const cut = cutOf(call);
  bodyOf(response, "application/json");
  const text = await response.text().catch((cause: unknown) => {
    throw cut(cause);
  });
  return { text, value: parse(text, cut) };
}

function bodyOf({ status, headers, body }: Response, type: string): ReadableStream<Uint8Array> | null {
  if (headers.get("content-type")?.startsWith(type)) return body;
  void body?.cancel().catch(() => {});
  throw ownError(
    "content_type_wrong",
    `The answer is not ${type}: something else than the gateway answered.`,
    {
      status,
    },
  );
}

// biome-ignore lint/suspicious/noExplicitAny: each line has its own form
function parse(text: string, cut: (cause?: unknown) => unknown): any {
  try {
    return JSON.parse(text);
  } catch {
    // The message of a SyntaxError quotes the text.
    throw cut();
  }
}

function cutOf({ repeatable, signal }: Call): (cause?: unknown) => unknown {
  return (cause) =>
    signal?.aborted
      ? signal.reason
      : ownError("answer_cut", "The answer ended before its end.", {
          status: 200,
          retryable: repeatable,
          cause,
        });
}
