/** `tidegate/drizzle`: a driver of Drizzle ORM (docs/guides/orms.md). */
export type { ClientOptions } from "../create-client.ts";
export { TidegateError } from "../error.ts";
export { typed } from "../values.ts";
export type { TidegateDrizzle, TidegateDrizzleConfig } from "./driver.ts";
export { drizzle } from "./driver.ts";
export type { ResultHeader } from "./prepared-query.ts";
export type { TidegateTransaction } from "./session.ts";
