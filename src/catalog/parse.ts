/**
 * Saved queries: one .sql file each. The comment at its top describes it (docs/queries.md has the grammar).
 *
 * ```sql
 * -- Cities of a country, most populous first.
 * -- @param country string pattern "[A-Z]{2}"  ISO 3166-1 alpha-2 code
 * -- @param limit integer default 10 min 1 max 100
 * SELECT name FROM cities WHERE country_code = :country ORDER BY population DESC LIMIT :limit
 * ```
 *
 * The build checks everything, so the gateway only has saved queries whose parameters can be bound.
 */
import { printable, StatementError } from "../sql/errors.ts";
import { classify, type Verb } from "../sql/guard.ts";
import { lex } from "../sql/lexer.ts";
import { bindPlan, claimPrefix } from "../sql/placeholders.ts";
import { type Claim, undeclaredClaim } from "./claims.ts";
import { CatalogError, type Mistake } from "./errors.ts";
import { checkExample } from "./head/example.ts";
import { checkFit, usualResult } from "./head/fit.ts";
import { type Header, readHeader } from "./header.ts";
import type { SavedQuery } from "./saved-query.ts";
import { columnOf, lineOf, type Report, withoutMark } from "./source.ts";
import { type Body, checkUse, endsWithClaim, touchedClaim } from "./use.ts";

export { CatalogError, type Mistake, mistakeText } from "./errors.ts";
export type { Parameter, SavedQuery } from "./saved-query.ts";

export interface QueryFile {
  /** `NAME.sql`, without a folder. */
  name: string;
  text: string;
}

/** The file's name appears in the URL and in grants. */
const fileName = /^([a-z][a-z0-9_-]{0,62})\.sql$/;

/**
 * Reads one saved query.
 *
 * @throws CatalogError with every mistake of the file
 */
export function parseQuery(file: string, text: string): SavedQuery {
  const mistakes: Mistake[] = [];
  const source = withoutMark(text);
  const report: Report = (offset, message) => {
    const place = { line: lineOf(source, offset), column: columnOf(source, offset) };
    // A message may quote the file, and is printed on a terminal.
    mistakes.push({ file, ...place, message: printable(message) });
  };
  const name = fileName.exec(file)?.[1];
  if (name === undefined) {
    report(
      0,
      "The file's name must be a lower-case letter, then up to 62 letters, digits, - or _, then .sql.",
    );
  }
  const header = readHeader(source, report);
  const hasGoodParameters = mistakes.length === 0;
  const body = readStatement(source, report);
  if (body !== undefined) {
    checkUse(source, header, body, report);
    checkFit(source, body.statement, header, report);
  }
  // With a wrong declaration, a good example would not fit either.
  if (hasGoodParameters)
    for (const example of header.examples) checkExample(example, header.parameters, report);
  if (mistakes.length > 0 || name === undefined || body === undefined) {
    throw new CatalogError(mistakes.sort((a, b) => a.line - b.line || a.column - b.column));
  }
  const { statement, sql, order } = body;
  const { result = usualResult(statement), tags = [], ...settings } = header.settings;
  return {
    name,
    ...splitDescription(header.description),
    sql,
    kind: statement.kind,
    verb: statement.verb,
    returning: statement.returning,
    lenient: statement.lenient,
    parameters: header.parameters,
    order,
    claims: claimsOf(body, header),
    result,
    tags,
    ...settings,
    examples: header.examples.map(({ description, parameters }) => ({ description, parameters })),
  };
}

/** The first paragraph is the summary. */
function splitDescription(text: string): Pick<SavedQuery, "summary" | "description"> {
  const [summary = "", ...rest] = text.split(/\n{2,}/);
  return { summary: summary.replaceAll("\n", " "), description: rest.join("\n\n") };
}

/** What a folder of saved queries has. */
export interface Catalog {
  /** The good ones, in the order of their names. */
  queries: SavedQuery[];
  /** Of all files, in their order. */
  mistakes: Mistake[];
  /** The names of the queries whose files have mistakes. */
  broken: string[];
}

/** Reads all saved queries: also the good ones, if other files have mistakes. */
export function readFiles(files: readonly QueryFile[]): Catalog {
  const mistakes: Mistake[] = [];
  const broken: string[] = [];
  const queries = new Map<string, SavedQuery>();
  for (const { name: file, text } of files) {
    try {
      const query = parseQuery(file, text);
      if (queries.has(query.name)) {
        const message = `There are two queries named ${query.name}: rename one.`;
        mistakes.push({ file, line: 1, column: 1, message });
      }
      queries.set(query.name, query);
    } catch (error) {
      if (!(error instanceof CatalogError)) throw error;
      mistakes.push(...error.mistakes);
      broken.push(file.replace(/\.sql$/, ""));
    }
  }
  return { queries: [...queries.values()].sort((a, b) => (a.name < b.name ? -1 : 1)), mistakes, broken };
}

/**
 * Reads all saved queries, in the order of their names.
 *
 * @throws CatalogError with every mistake of every file
 */
export function parseCatalog(files: readonly QueryFile[]): SavedQuery[] {
  const { queries, mistakes } = readFiles(files);
  if (mistakes.length > 0) throw new CatalogError(mistakes);
  return queries;
}

/** @returns the claims that the statement has placeholders for */
function claimsOf({ statement, order }: Body, { claims: declared }: Header): Claim[] {
  const names = order
    .filter((name) => name.startsWith(claimPrefix))
    .map((name) => name.slice(claimPrefix.length));
  const counting = new Set(statement.placeholders.map(({ name, rowCount }) => rowCount && name));
  return [...new Set(names)].map((name) => {
    const claim = declared.find((one) => one.name === name) ?? undeclaredClaim(name);
    return counting.has(claimPrefix + name) ? { ...claim, rowCount: true as const } : claim;
  });
}

const asked: ReadonlySet<Verb> = new Set(["SHOW", "EXPLAIN", "DESCRIBE"]);

function tellsOfServer(verb: Verb): string {
  return `${verb} is accepted for what tells of nobody; this tells of the server, its accounts or other callers. Select from the server's own tables the columns that callers may see.`;
}

function readStatement(source: string, report: Report): Body | undefined {
  try {
    const statement = classify(source);
    const plan = bindPlan(statement, "saved");
    // The operator may query the server's tables and choose their columns. SHOW has no choice of columns, so
    // it is refused.
    if (asked.has(statement.verb) && statement.needs.includes("server"))
      report(lex(source).start(0), tellsOfServer(statement.verb));
    if (plan.style === "named") return { statement, sql: plan.sql, order: plan.names };
    if (plan.count === 0) return { statement, sql: plan.sql, order: [] };
    report(
      statement.placeholders[0]?.sourceStart ?? 0,
      "Saved queries have names for parameters: write :name for ?.",
    );
  } catch (error) {
    if (!(error instanceof StatementError)) throw error;
    const touched =
      error.reason === "invalid_character" ? endsWithClaim(source.slice(0, error.offset)) : undefined;
    const message = touched === undefined ? error.message : touchedClaim(touched);
    report(error.offset, message);
  }
  return undefined;
}
