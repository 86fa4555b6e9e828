import type { CamelCase } from "./names.ts";
import type { Counts, Result } from "./result.ts";
import type { CallOptions } from "./statement.ts";

/** A member of the interface that `npx tidegate generate` writes. */
export interface Query {
  parameters: object;
  result: "many" | "one" | "exec";
  row: unknown;
  writes: boolean;
  pages: boolean;
}

export interface QueryOptions extends CallOptions {
  /** GET, for a query that reads: a browser keeps the answer as long as the query's @cache says. Default: POST. */
  method?: "GET" | "POST";
}

/** Parameters may be left out if none must be there. */
type Arguments<P, Options> =
  Record<never, never> extends P ? [parameters?: P, options?: Options] : [parameters: P, options?: Options];

type OptionsOf<Q extends Query> = Q["writes"] extends false ? QueryOptions : CallOptions;
type AnswerOf<Q extends Query> = Q["result"] extends "many"
  ? Q["row"][]
  : Q["result"] extends "one"
    ? Q["row"]
    : Counts;

export interface Page<Row> {
  rows: Row[];
  /** For `cursor`; undefined on the last page. */
  next: string | undefined;
  /** How many rows all pages have together, if it was asked for. */
  total: number | undefined;
}

export interface PageOptions extends QueryOptions {
  pageSize?: number;
  /** `next` of the page before. Default: the first page. */
  cursor?: string;
  /** Counts the rows of all pages, which is a second statement. */
  total?: boolean;
}

interface Ask<Q extends Query> {
  /** The rows, the row, or the counts of a change, as the query's @result says. */
  (...given: Arguments<Q["parameters"], OptionsOf<Q>>): Promise<AnswerOf<Q>>;
  /** The same with columns and counts. */
  result(...given: Arguments<Q["parameters"], OptionsOf<Q>>): Promise<Result<Q["row"]>>;
}

interface AskOne<Q extends Query> {
  /** The row, or undefined if there is none. */
  maybe(...given: Arguments<Q["parameters"], OptionsOf<Q>>): Promise<Q["row"] | undefined>;
}

interface AskMany<Q extends Query> {
  /** The rows as they come. Leaving the loop ends the request. */
  stream(...given: Arguments<Q["parameters"], OptionsOf<Q>>): AsyncGenerator<Q["row"], void, undefined>;
}

interface AskPage<Q extends Query> {
  page(...given: Arguments<Q["parameters"], PageOptions>): Promise<Page<Q["row"]>>;
}

type FunctionOf<Q extends Query> = Ask<Q> &
  (Q["result"] extends "one" ? AskOne<Q> : unknown) &
  (Q["result"] extends "many" ? AskMany<Q> : unknown) &
  (Q["pages"] extends true ? AskPage<Q> : unknown);

/** A client that was given no interface takes any name. */
// biome-ignore lint/suspicious/noExplicitAny: nothing is known of its queries
type AnyFunction = ((parameters?: object, options?: QueryOptions) => Promise<any>) & {
  // biome-ignore lint/suspicious/noExplicitAny: as above
  result(parameters?: object, options?: QueryOptions): Promise<Result<any>>;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  maybe(parameters?: object, options?: QueryOptions): Promise<any>;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  stream(parameters?: object, options?: QueryOptions): AsyncGenerator<any, void, undefined>;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  page(parameters?: object, options?: PageOptions): Promise<Page<any>>;
};

/** The functions of `db.query`: each name, and its camelCase form where that leads back to one name only. */
export type QueriesOf<Q extends { [Name in keyof Q]: Query }> = string extends keyof Q
  ? Record<string, AnyFunction>
  : {
      readonly [Name in keyof Q as Name | (Name extends string ? CamelCase<Name> : never)]: FunctionOf<
        Q[Name]
      >;
    };

/** The values of a row that are such ones; a JSON column is unknown, and says nothing. */
type Found<Row, Kind> = [Row] extends [never]
  ? never
  : { [Column in keyof Row]: Extract<Row[Column], Kind> }[keyof Row];

type Has<Q extends { [Name in keyof Q]: Query }, Kind> = string extends keyof Q
  ? false
  : [{ [Name in keyof Q]: Found<Q[Name]["row"], Kind> }[keyof Q]] extends [never]
    ? false
    : true;

/** What the interface says of values, the options must do: `Queries<bigint>` needs `bigint: "bigint"`. */
export type Demanded<Q extends { [Name in keyof Q]: Query }> = (Has<Q, bigint> extends true
  ? { bigint: "bigint" }
  : unknown) &
  (Has<Q, Date> extends true ? { datetime: "utc" } : unknown);
