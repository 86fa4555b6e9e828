import type { Column, ReaderOf, RowReader } from "./columns.ts";
import { elements } from "./columns.ts";
import { ownError, TidegateError } from "./error.ts";
import { linesOf } from "./lines.ts";
import type { Sent } from "./sender.ts";

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

interface WireResult {
  columns: Column[];
  rows: unknown[][];
}

export const ndjson = "application/x-ndjson";

/** The wire's members in camelCase: `rows_affected` is `rowsAffected`. */
const countsOf = (wire: object) =>
  Object.fromEntries(
    Object.entries(wire).map(([name, value]) => [
      name.replace(/_./g, (part) => part.slice(1).toUpperCase()),
      value,
    ]),
  ) as unknown as Counts;

/** One of them; the rows may be none. */
type Part<Row> = { columns?: Column[]; rows?: Row[]; counts?: Counts };

/**
 * Reads an answer of lines (NDJSON with `rows=array`), piece by piece. It is whole only if the counts stand at its end.
 * @throws TidegateError also that of the last line, of a statement that failed after its first rows
 */
export async function* partsOf<Row>(
  response: Response,
  readerOf: ReaderOf,
  sent: Sent,
): AsyncGenerator<Part<Row>, void, undefined> {
  const cut = cutOf(sent);
  const body = bodyOf(response, ndjson);
  let reader: RowReader<Row> | undefined;
  let isWhole = false;
  for await (const lines of linesOf(body, cut)) {
    let rows: Row[] = [];
    for (const line of lines) {
      const value = parse(line, cut);
      if (isWhole) throw cut();
      if (Array.isArray(value)) {
        if (!reader) throw cut();
        rows.push(reader.read(value, reader.isText ? elements(line) : []));
        continue;
      }
      yield { rows };
      rows = [];
      if (value.error) throw new TidegateError(value.error, value.error.status);
      if (value.columns) {
        reader = readerOf(value.columns) as RowReader<Row>;
        yield { columns: value.columns };
      } else {
        isWhole = true;
        yield { counts: countsOf(value) };
      }
    }
    yield { rows };
  }
  if (!isWhole) throw cut();
}

/** Reads an answer of lines to its end. */
export async function collect<Row>(response: Response, readerOf: ReaderOf, sent: Sent): Promise<Result<Row>> {
  const sets: { columns: Column[]; rows: Row[] }[] = [];
  let counts: Counts | undefined;
  for await (const part of partsOf<Row>(response, readerOf, sent)) {
    if (part.columns) sets.push({ columns: part.columns, rows: [] });
    else if (part.rows) for (const row of part.rows) sets.at(-1)?.rows.push(row);
    else counts = part.counts;
  }
  // The columns come first, and the counts last.
  return { ...(sets[0] as (typeof sets)[0]), sets, ...(counts as Counts) };
}

/** Reads the results of a batch. */
export async function batchResults(
  response: Response,
  readerOf: ReaderOf,
  sent: Sent,
): Promise<Result<unknown>[]> {
  const { text, value } = await readJson(response, sent);
  let texts: string[][] = [];
  return (value.results as WireResult[]).map(({ columns, rows: wire, ...counts }, index) => {
    const reader = readerOf(columns);
    if (reader.isText && !texts[0]) texts = rowTexts(text);
    const rows = wire.map((row, at) =>
      reader.read(row, reader.isText ? elements(texts[index]?.[at] as string) : []),
    );
    return { columns, rows, sets: [{ columns, rows }], ...countsOf(counts) };
  });
}

/** @returns the JSON of each row of each result */
function rowTexts(text: string): string[][] {
  const member = (object: string, name: string) =>
    elements(object).find((one) => one.startsWith(`"${name}":`)) as string;
  return elements(member(text, "results")).map((result) => elements(member(result, "rows")));
}

/** Reads an answer of one JSON value. */
// biome-ignore lint/suspicious/noExplicitAny: each endpoint has its own form
export async function readJson(response: Response, sent: Sent): Promise<{ text: string; value: any }> {
  const cut = cutOf(sent);
  bodyOf(response, "application/json");
  const text = await response.text().catch((cause: unknown) => {
    throw cut(cause);
  });
  return { text, value: parse(text, cut) };
}

function bodyOf({ status, headers, body }: Response, type: string): ReadableStream<Uint8Array> {
  if (body && headers.get("content-type")?.startsWith(type)) return body;
  body?.cancel().catch(() => {});
  throw ownError("content_type_wrong", `The answer is not ${type}.`, status);
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

function cutOf({ repeatable, signal }: Sent): (cause?: unknown) => unknown {
  return (cause) =>
    signal.aborted ? signal.reason : ownError("answer_cut", "The answer was cut.", 200, repeatable, cause);
}
