import type { SavedQuery } from "../../src/catalog/parse.ts";
import { parseQuery } from "../../src/catalog/parse.ts";
import type { Application } from "../../src/config/config.ts";
import { parsePolicy } from "../../src/config/policy.ts";
import type { Policy } from "../../src/config/schema.ts";
import { quoteIdentifier } from "../../src/sql/identifiers.ts";
import { accountsOf } from "../accounts/environment.ts";
import { prepareAll } from "../check/prepare.ts";
import { operatorText } from "../command/errors.ts";
import { nodeLink } from "../node/node-link.ts";
import type { Role } from "../project/roles.ts";
import { usualRole } from "../project/roles.ts";
import type { QueryExample, StatementExample } from "./examples.ts";
import { queryExamples } from "./examples.ts";

/** What a start shows, once the gateway runs. */
export interface Shown {
  /** The caller of the examples; undefined if no grant runs anything. */
  role: Role | undefined;
  query: QueryExample | undefined;
  statement: StatementExample | undefined;
  /** What the reader should know of the saved queries and the database, one line each. */
  notes: string[];
}

export interface ShowOptions {
  application: Application;
  gateway: string;
  /** By the role's name. */
  tokens: Readonly<Record<string, string>>;
  secrets: Readonly<Record<string, string>>;
  /** PEM of the only CAs to trust; undefined: the public ones. */
  ca: string | undefined;
  /** The statement of the sample; undefined: one for a table that the role may read. */
  statement: StatementExample | undefined;
}

/** It says something on every server. */
const anywhere: StatementExample = { sql: "SELECT VERSION() AS version", params: [] };
/** How many tables are tried. */
const mostTables = 5;
const mostColumns = 3;
const timeoutMs = 10_000;

/**
 * Chooses examples that the database accepts: the server prepares the saved queries as the role's account, and executes
 * none.
 */
export async function whatToShow(options: ShowOptions): Promise<Shown> {
  const { application, statement } = options;
  const { queries } = application;
  const policy = parsePolicy(application.policy, application.environment, queries);
  const role = usualRole(policy, queries);
  if (role === undefined) return { role, query: undefined, statement: undefined, notes: [] };
  const examples = queryExamples(queries, role);
  const maySay = role.grant.allow.includes("sql:read");
  const own =
    statement !== undefined || !maySay ? [] : await tableStatements(options, policy, role).catch(() => []);
  const reading = queries.filter(({ kind }) => kind === "read");
  try {
    const refused = await refusals(options, policy, role, [...reading, ...own]);
    const works = ({ name }: { name: string }) => !refused.has(name);
    const table = own.find(works);
    return {
      role,
      query: examples.find(works),
      statement: maySay ? (statement ?? (table ? { sql: table.sql, params: [] } : anywhere)) : undefined,
      notes: noteOf(
        reading.filter((query) => !works(query)),
        reading.length,
        refused,
      ),
    };
  } catch (cause) {
    const notes = [`The saved queries could not be tried: ${operatorText(cause)}`];
    return { role, query: examples[0], statement: maySay ? (statement ?? anywhere) : undefined, notes };
  }
}

/** @returns the reasons by the query's name */
async function refusals(
  { ca, secrets }: ShowOptions,
  policy: Policy,
  { grant }: Role,
  queries: readonly SavedQuery[],
): Promise<Map<string, string>> {
  const refused = new Map<string, string>();
  const [account] = await accountsOf(
    { name: "development", policy, queries },
    (name) => name === grant.account,
    async (name) => secrets[name] ?? "",
  );
  if (account === undefined) return refused;
  await prepareAll(nodeLink(ca), policy.cluster, account, queries, (answer) => {
    if (answer.said === "no") refused.set(answer.query.name, answer.reason);
  });
  return refused;
}

function noteOf(broken: readonly SavedQuery[], all: number, reasons: ReadonlyMap<string, string>): string[] {
  const [first] = broken;
  if (first === undefined) return [];
  return [
    `${broken.length} of ${all} saved queries that read cannot run on this database. The first is queries/${first.name}.sql: ${reasons.get(first.name)}`,
  ];
}

interface Schema {
  databases: { tables: { name: string; kind: string; columns: { name: string }[] }[] }[];
}

/**
 * @returns statements for the first tables of the database, by what the gateway says of them; empty without a table
 * @throws Error if the gateway does not answer in time
 */
async function tableStatements(
  { gateway, tokens }: ShowOptions,
  { cluster: { database } }: Policy,
  { name }: Role,
): Promise<SavedQuery[]> {
  const address = `${gateway}/v1/schema?${new URLSearchParams({ database })}`;
  const response = await fetch(address, {
    headers: { authorization: `Bearer ${tokens[name]}` },
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (!response.ok) return [];
  const { databases } = (await response.json()) as Schema;
  return databases
    .flatMap(({ tables }) => tables)
    .filter(({ kind, columns }) => kind === "base table" && columns.length > 0)
    .slice(0, mostTables)
    .map((table, i) => {
      const columns = table.columns.slice(0, mostColumns).map((column) => named(column.name));
      const text = `SELECT ${columns.join(", ")} FROM ${named(table.name)} LIMIT 3`;
      return parseQuery(`table-${i}.sql`, text);
    });
}

/** @returns a name as a statement has it; in backticks unless it is plain */
function named(name: string): string {
  return /^[a-z_][a-z0-9_]*$/i.test(name) ? name : quoteIdentifier(name);
}
