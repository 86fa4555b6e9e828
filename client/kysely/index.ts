/** `tidegate/kysely`: a dialect of Kysely (docs/guides/orms.md). */
export type { ClientOptions } from "../create-client.ts";
export { TidegateError } from "../error.ts";
export { typed } from "../values.ts";
export { TidegateDialect } from "./dialect.ts";
