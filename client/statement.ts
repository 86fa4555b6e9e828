import type { ReaderOf } from "./columns.ts";
import type { Result } from "./result.ts";
import { collect, ndjson, partsOf } from "./result.ts";
import type { Call, Sender } from "./sender.ts";
import { encodeObject, encodeValue, type Value } from "./values.ts";

export interface CallOptions {
  signal?: AbortSignal;
  /** Of a write: your own, to send it again in another session. Default: a new one for each call. */
  idempotencyKey?: string;
}

export interface StatementOptions extends CallOptions {
  /** Less time than the grant gives, in milliseconds. */
  timeoutMs?: number;
}

/** What requests are made with. */
export interface Client {
  sender: Sender;
  readerOf: ReaderOf;
  /** @returns a key for a write */
  keyOf(options: CallOptions | undefined): string | undefined;
}

/** Makes the call of a `POST .../sql`, but for its body. */
export type Place = (options: StatementOptions) => Call;

/**
 * A statement with its values. It is executed when it is awaited, and once, however often: so a batch can take it.
 * Awaited it is its rows.
 */
export interface Statement<Row> extends PromiseLike<Row[]> {
  // biome-ignore lint/suspicious/noExplicitAny: as of a promise
  catch<B = never>(failed?: ((error: any) => B | PromiseLike<B>) | null): Promise<Row[] | B>;
  /** In a batch: if it affects more rows than these, everything is rolled back. */
  maxAffected(rows: number): Statement<Row>;
  /** Executes it, as awaiting does. @returns rows, columns and counts */
  result(options?: StatementOptions): Promise<Result<Row>>;
  /** Executes it, and gives its rows as they come. Leaving the loop ends the request. */
  stream(options?: StatementOptions): AsyncGenerator<Row, void, undefined>;
  /** @returns its JSON in a batch */
  item(): string;
}

/** @param params their JSON */
function statementOf<Row>(
  { sender, readerOf }: Client,
  place: Place,
  sql: string,
  params: string | undefined,
): Statement<Row> {
  const head = `{"sql":${JSON.stringify(sql)}${params ? `,"params":${params}` : ""}`;
  let bound = "";
  let result: Promise<Result<Row>> | undefined;
  const call = (options: StatementOptions = {}): Call => {
    const { signal, timeoutMs } = options;
    const body = `${head}${bound}${timeoutMs === undefined ? "" : `,"timeout_ms":${+timeoutMs}`}}`;
    return { signal, ...place(options), accept: ndjson, body };
  };
  const statement: Statement<Row> = {
    maxAffected(rows) {
      bound = `,"max_affected":${+rows}`;
      return statement;
    },
    result(options) {
      result ??= sender.send(call(options), (response, sent) => collect<Row>(response, readerOf, sent));
      return result;
    },
    stream: (options) => rowsOf(sender, call(options), readerOf),
    // biome-ignore lint/suspicious/noThenProperty: awaiting it executes it
    then: (done, failed) =>
      statement
        .result()
        .then(({ rows }) => rows)
        .then(done, failed),
    catch: (failed) => Promise.resolve(statement).catch(failed),
    item: () => `${head}${bound}}`,
  };
  return statement;
}

/** The rows of an answer, as they come. Until the answer begins, the request may be sent again. */
export async function* rowsOf<Row>(
  sender: Sender,
  call: Call,
  readerOf: ReaderOf,
): AsyncGenerator<Row, void, undefined> {
  const begun = await sender.send(call, async (response, sent) => ({ response, sent }));
  for await (const part of partsOf<Row>(begun.response, readerOf, begun.sent)) {
    if (part.rows) yield* part.rows;
  }
}

/** What makes statements: a template, or a text with its parameters. */
export interface Statements {
  /** `` sql`select name from cities where id = ${id}` ``: values are bound by the server, and never text. */
  sql<Row = Record<string, unknown>>(strings: TemplateStringsArray, ...values: Value[]): Statement<Row>;
  /** A text with `?` and a list, or with `:name` and an object. Never put a value into the text. */
  statement<Row = Record<string, unknown>>(
    text: string,
    params?: readonly Value[] | Readonly<Record<string, Value>>,
  ): Statement<Row>;
}

export function statementsAt(client: Client, place: Place): Statements {
  return {
    sql(strings, ...values) {
      if (!strings.raw || strings.includes(undefined as never)) throw new TypeError("sql is a tag.");
      return statementOf(client, place, strings.join("?"), listOf(values));
    },
    statement(text, params) {
      return statementOf(
        client,
        place,
        text,
        Array.isArray(params) ? listOf(params) : params && encodeObject(params, true),
      );
    },
  };
}

const listOf = (values: readonly unknown[]) =>
  `[${values.map((value, index) => encodeValue(value, `Value ${index + 1}`, true))}]`;
