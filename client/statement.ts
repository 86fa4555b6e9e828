import type { Conversions } from "./columns.ts";
import type { Result } from "./result.ts";
import { collect, ndjson, partsOf } from "./result.ts";
import type { Call, Sender } from "./sender.ts";
import { encodeValue, type Value } from "./values.ts";

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
  conversions: Conversions;
  /** @returns a key for a write */
  keyOf(options: CallOptions | undefined): string | undefined;
}

/** Where a statement is executed. */
export interface Place {
  client: Client;
  /** The call of `POST .../sql`, but for its body. */
  call(options: StatementOptions): Pick<Call, "path" | "key" | "repeatable" | "signal" | "mayRepeat">;
}

/**
 * A statement with its values. It is executed when it is awaited, and once, however often: so a batch can take it.
 * Awaited it is its rows.
 */
export class Statement<Row> implements PromiseLike<Row[]> {
  readonly #place: Place;
  readonly #members: string[];
  #options: StatementOptions = {};
  #maxAffected: number | undefined;
  #result: Promise<Result<Row>> | undefined;

  /** @param params their JSON */
  constructor(place: Place, sql: string, params: string | undefined) {
    this.#place = place;
    this.#members = [`"sql":${JSON.stringify(sql)}`, ...(params === undefined ? [] : [`"params":${params}`])];
  }

  /** @returns the same statement, with options for awaiting it */
  with(options: StatementOptions): this {
    this.#options = { ...this.#options, ...options };
    return this;
  }

  /** In a batch: if it affects more rows than these, everything is rolled back. */
  maxAffected(rows: number): this {
    this.#maxAffected = rows;
    return this;
  }

  /** Executes it. @returns rows, columns and counts */
  result(options: StatementOptions = {}): Promise<Result<Row>> {
    const { sender, conversions } = this.#place.client;
    this.#result ??= sender.send(this.#call(options), (response, call) =>
      collect(response, conversions, call),
    );
    return this.#result;
  }

  /** Executes it, and gives its rows as they come. Leaving the loop ends the request. */
  async *stream(options: StatementOptions = {}): AsyncGenerator<Row, void, undefined> {
    const { sender, conversions } = this.#place.client;
    yield* rowsOf<Row>(sender, this.#call(options), conversions);
  }

  // biome-ignore lint/suspicious/noThenProperty: awaiting it executes it
  then<A = Row[], B = never>(
    done?: ((rows: Row[]) => A | PromiseLike<A>) | null,
    // biome-ignore lint/suspicious/noExplicitAny: as of a promise
    failed?: ((error: any) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.result()
      .then(({ rows }) => rows)
      .then(done, failed);
  }

  // biome-ignore lint/suspicious/noExplicitAny: as of a promise
  catch<B = never>(failed?: ((error: any) => B | PromiseLike<B>) | null): Promise<Row[] | B> {
    return this.then(null, failed);
  }

  finally(after?: (() => void) | null): Promise<Row[]> {
    return this.then().finally(after);
  }

  /** @returns its JSON in a batch */
  static itemOf(statement: Statement<unknown>): string {
    const bound = statement.#maxAffected;
    return `{${[...statement.#members, ...(bound === undefined ? [] : [`"max_affected":${bound}`])]}}`;
  }

  #call(options: StatementOptions): Call {
    const all = { ...this.#options, ...options };
    const timeout = all.timeoutMs === undefined ? [] : [`"timeout_ms":${all.timeoutMs}`];
    return {
      method: "POST",
      accept: ndjson,
      body: `{${[...this.#members, ...timeout]}}`,
      ...this.#place.call(all),
    };
  }
}

/** The rows of an answer, as they come. Until the answer begins, the request may be sent again. */
export async function* rowsOf<Row>(
  sender: Sender,
  call: Call,
  conversions: Conversions,
): AsyncGenerator<Row, void, undefined> {
  const begun = await sender.send(call, async (response, sent) => ({ response, sent }));
  for await (const part of partsOf<Row>(begun.response, conversions, begun.sent)) {
    if ("rows" in part) yield* part.rows;
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

export function statementsAt(place: Place): Statements {
  return {
    sql(strings, ...values) {
      if (!Array.isArray(strings) || !("raw" in strings) || strings.includes(undefined as never))
        throw new TypeError(
          "sql is a template's tag: sql`select ..`. A text is taken by statement(text, params).",
        );
      return new Statement(place, strings.join("?"), listOf(values));
    },
    statement(text, params) {
      if (params === undefined) return new Statement(place, text, undefined);
      if (Array.isArray(params)) return new Statement(place, text, listOf(params));
      const members = Object.entries(params).map(
        ([name, value]) => `${JSON.stringify(name)}:${encodeValue(value, name)}`,
      );
      return new Statement(place, text, `{${members}}`);
    },
  };
}

const listOf = (values: readonly unknown[]) =>
  `[${values.map((value, index) => encodeValue(value, `Value ${index + 1}`))}]`;
