import { CatalogError } from "../../src/catalog/parse.ts";
import type { Application } from "../../src/config/config.ts";
import { ConfigError } from "../../src/config/policy.ts";
import { operatorText } from "../command/errors.ts";
import { projectFile } from "./paths.ts";

/** What a developer is told after a change of a file: what of it is served now, or why none of it is. */

/** The last line after a mistake. */
export const goesOn = "The gateway goes on with what it had before.";
/** The first line after the last mistake is corrected. */
export const repaired = "The mistakes are gone.";
/** A line for files that are saved, and mean what they meant before. */
export const asBefore = "The queries, the policy and the CAs are as before.";

type Query = Application["queries"][number];

/** @returns a line for each saved query, policy or CA bundle that differs; empty if none does */
export function changesIn(before: Application, now: Application): string[] {
  const old = new Map(before.queries.map((query) => [query.name, query]));
  const names = new Set(now.queries.map(({ name }) => name));
  return [
    ...now.queries.flatMap((query) => {
      const former = old.get(query.name);
      if (former === undefined) return [`${fileOf(query)} is new: ${addressOf(query)}`];
      return isSame(former, query) ? [] : [`${fileOf(query)} has changed: ${addressOf(query)}`];
    }),
    ...before.queries
      .filter(({ name }) => !names.has(name))
      .map((query) => `${fileOf(query)} is removed: ${addressOf(query)} is gone`),
    ...(isSame(before.policy, now.policy) ? [] : [`${projectFile}, [env.${now.environment}] has changed`]),
    ...(isSame(before.authorities, now.authorities) ? [] : ["The CAs of the cluster have changed"]),
  ];
}

/** @returns a line for each mistake: where it is, what it is, and how to correct it. No stack. */
export function mistakesIn(environment: string, cause: unknown): string[] {
  const policy = `${projectFile}, [env.${environment}]`;
  if (cause instanceof CatalogError) return cause.message.split("\n").map((line) => `queries/${line}`);
  if (cause instanceof ConfigError) return cause.mistakes.map((mistake) => `${policy}: ${mistake}`);
  return operatorText(cause).split("\n");
}

function fileOf({ name }: Query): string {
  return `queries/${name}.sql`;
}

function addressOf({ name, kind }: Query): string {
  return `${kind === "read" ? "GET" : "POST"} /v1/queries/${name}`;
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
