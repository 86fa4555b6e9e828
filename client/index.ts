/** `tidegate/client`: the gateway from browsers, Node, Workers, Deno and Bun (docs/guides/client.md). */
export type { Retry } from "./backoff.ts";
export type { Column, Conversions } from "./columns.ts";
export type { BatchOptions, ClientOptions, Database } from "./create-client.ts";
export { createClient } from "./create-client.ts";
export type { ParameterFault, Problem } from "./error.ts";
export { TidegateError } from "./error.ts";
export type { Page, PageOptions, Query, QueryOptions } from "./query-types.ts";
export type { Counts, Result } from "./result.ts";
export type { ProofRequest } from "./sender.ts";
export type { CallOptions, Statement, StatementOptions, Statements } from "./statement.ts";
export type { Token, TokenRequest } from "./tokens.ts";
export type { Isolation, TransactionOptions } from "./transaction.ts";
export type { Encoded, Value } from "./values.ts";
export { ref, typed } from "./values.ts";
