import type { SavedQuery } from "../../src/catalog/parse.ts";
import { opensQuery } from "../../src/config/permissions.ts";
import type { Role } from "../project/roles.ts";
import { shellWord } from "../project/shell-word.ts";

/** What `tidegate start` shows a newcomer: lines to paste into a shell, and the first question of the page. Pure. */

/** A saved query with values for all its required parameters. */
export interface QueryExample {
  name: string;
  /** By the parameter's name. */
  parameters: Readonly<Record<string, string | number | boolean>>;
}

/** A statement of the caller's own. */
export interface StatementExample {
  sql: string;
  params: readonly (string | number)[];
}

/**
 * @returns the saved queries that the role may run and that only read, with values that their files have: those of
 * their first example, or none if they need none
 */
export function queryExamples(queries: readonly SavedQuery[], role: Role): QueryExample[] {
  const { allow } = role.grant;
  // A page of rows is a second thing to explain.
  return [...queries.filter(({ page }) => !page), ...queries.filter(({ page }) => page)]
    .filter(({ name, kind }) => kind === "read" && allow.some((permission) => opensQuery(permission, name)))
    .filter(({ claims }) => claims.every(({ path }) => hasClaim(role, path)))
    .flatMap(({ name, parameters, examples }) => {
      const values = examples[0]?.parameters ?? {};
      const needsMore = parameters.some((parameter) => parameter.required && !(parameter.name in values));
      return needsMore || !Object.values(values).every(isPlain)
        ? []
        : [{ name, parameters: values as QueryExample["parameters"] }];
    });
}

/** @returns whether the development issuer puts a value there */
function hasClaim({ claims }: Role, [first = "", ...rest]: readonly string[]): boolean {
  if (rest.length === 0 && ["sub", "iss", "aud", "iat", "exp"].includes(first)) return true;
  let value: unknown = claims[first];
  for (const name of rest) value = typeof value === "object" ? (value as typeof claims)[name] : undefined;
  return value !== undefined && typeof value !== "object";
}

function isPlain(value: unknown): boolean {
  return ["string", "number", "boolean"].includes(typeof value);
}

/** @returns a line for a shell */
export function queryLine(gateway: string, { name, parameters }: QueryExample, bearer: string): string {
  const values = Object.entries(parameters).map(([key, value]) => [key, String(value)]);
  const search = new URLSearchParams(values).toString();
  return `curl ${shellWord(`${gateway}/v1/queries/${name}${search === "" ? "" : `?${search}`}`)} -H ${shellWord(bearer)}`;
}

/** @returns a line for a shell */
export function statementLine(gateway: string, { sql, params }: StatementExample, bearer: string): string {
  const body = JSON.stringify(params.length === 0 ? { sql } : { sql, params });
  return `curl ${gateway}/v1/sql -H ${shellWord(bearer)} -H 'Content-Type: application/json' -d ${shellWord(body)}`;
}
