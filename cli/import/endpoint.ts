import type { Mistake, QueryFile } from "../../src/catalog/parse.ts";
import type { Parameter } from "../../src/catalog/saved-query.ts";
import { limits } from "../../src/limits.ts";
import { StatementError } from "../../src/sql/errors.ts";
import { classify } from "../../src/sql/guard.ts";
import { lex } from "../../src/sql/lexer.ts";
import { findOutside } from "../../src/sql/token-groups.ts";
import { formatQuery } from "../scaffold/head.ts";
import { parameterName, slug } from "../scaffold/names.ts";
import { mistakesOf } from "../scaffold/write.ts";
import type { Endpoint } from "./data-app.ts";
import { files } from "./data-app.ts";
import type { Remark } from "./parameters.ts";
import { parameterOf } from "./parameters.ts";
import type { Statement } from "./pieces.ts";
import { cut, usedDatabase } from "./pieces.ts";
import type { Converted } from "./placeholders.ts";
import { convert } from "./placeholders.ts";

/** One endpoint of a Data App as a saved query. Pure. */

export interface Target {
  /** The name of the saved query, without .sql. */
  name: string;
  /** The Data App's name. */
  app: string;
  /** The cluster's database. */
  database: string;
}

/** The path of an endpoint's SQL, in the Data App. */
export const sqlPath = ({ sql_file }: Endpoint) => `http_endpoints/${sql_file}`;

export type Outcome =
  | { file: QueryFile; writes: boolean; remarks: Remark[] }
  /** Why it is not carried over. Each line begins with its file, and the line if it is known. */
  | { reasons: string[] };

/** @returns why no saved query can be made of the endpoint, whatever its SQL is */
export function unfit({ type, method, sql_file }: Endpoint): string | undefined {
  if (type !== "sql_endpoint")
    return `it is a system endpoint (${type}), which has no SQL of its own: Chat2Query and the like are TiDB Cloud's`;
  if (!["GET", "POST", "PUT", "DELETE"].includes(method)) return `its method ${method} is not known`;
  return sql_file === "" ? "it has no sql_file" : undefined;
}

/** @param sql the text of its file */
export function queryOf(endpoint: Endpoint, sql: string, { name, app, database }: Target): Outcome {
  const source = sqlPath(endpoint);
  const remarks: Remark[] = [];
  const say = (text: string, lost = false) => remarks.push({ text, lost });
  const script = cut(sql);
  const used = new Set(script.statements.map(usedDatabase).filter((one) => one !== undefined));
  const [statement, ...others] = script.statements.filter((one) => usedDatabase(one) === undefined);
  if (statement === undefined) return { reasons: [`${source}: it has no statement`] };
  if (others.length > 0)
    return {
      reasons: [
        `${source}:${others[0]?.line}: a second statement: a saved query is one, and a batch several`,
      ],
    };
  if (used.size > 1) return { reasons: [`${source}: it uses several databases: ${[...used].join(", ")}`] };
  for (const other of used) {
    if (other !== database)
      say(`USE ${other} is left out, and the gateway's database is ${database}: write ${other}.TABLE`, true);
  }
  const named = new Set<string>();
  const names = new Map(endpoint.params.map((one) => [one.name, parameterName(one.name, named)]));
  const rename = (one: string) => names.get(one) ?? one;
  const isList = (one: string) => endpoint.params.some((p) => p.name === one && p.type === "array");
  const converted = convert(statement, rename, isList);
  if (converted.named.size > 0)
    return { reasons: [`${source}: ${[...converted.named].join(", ")}: no parameter can be a name`] };
  const head = readBody(converted.sql);
  if (typeof head === "string") return { reasons: [`${source}:${statement.line}: ${head}`] };
  const parameters = parametersOf(endpoint, converted, rename, remarks);
  const settings = settingsOf(endpoint, head, say);
  if (endpoint.method === "GET" && head.writes)
    say("it was a GET that writes: here a query that writes takes POST only");
  if (endpoint.batch_operation)
    say(
      "batch_operation: it takes one row a request, not `items`; several rows go through POST /v1/batch",
      true,
    );
  if (endpoint.return_type !== "json") say(`return_type ${endpoint.return_type} is not known`, true);
  const tag = slug(endpoint.tag);
  const isTagged = tag !== "" && endpoint.tag !== "Default";
  if (endpoint.tag !== "" && tag === "")
    say(`the tag ${endpoint.tag} has no letter that a tag can have`, true);
  const title = endpoint.name === "" || endpoint.name === endpoint.endpoint ? "" : endpoint.name;
  const origin = `${endpoint.method} ${endpoint.endpoint} of the Data App ${app}`;
  const text = formatQuery(
    {
      paragraphs: [
        title || `${origin}.`,
        endpoint.description,
        ...script.comments.filter(isOwnComment),
        title ? `Was ${origin}.` : "",
      ],
      parameters,
      ...settings,
      ...(isTagged && { tags: [tag] }),
    },
    converted.sql,
  );
  const file = { name: `${name}.sql`, text };
  const mistakes = mistakesOf(file);
  if (mistakes.length > 0) return { reasons: placed(mistakes, text, statement, converted, endpoint) };
  return { file, writes: head.writes, remarks };
}

/** The console's template has a comment, which says nothing of the endpoint. */
function isOwnComment(text: string): boolean {
  return !text.includes('Enter "USE {database};"') && text !== "";
}

interface Body {
  writes: boolean;
  /** Outside of parentheses. */
  isOrdered: boolean;
  isLimited: boolean;
}

/** @returns what is known of a statement, or why the gateway does not take it */
function readBody(sql: string): Body | string {
  try {
    const { kind } = classify(sql);
    const tokens = lex(sql);
    const has = (word: string) =>
      findOutside(tokens, 0, tokens.length, (at) => tokens.is(at, word)) < tokens.length;
    return { writes: kind !== "read", isOrdered: has("ORDER"), isLimited: has("LIMIT") };
  } catch (cause) {
    if (cause instanceof StatementError) return cause.message;
    throw cause;
  }
}

function parametersOf(
  { params, settings }: Endpoint,
  { places, quoted }: Converted,
  rename: (name: string) => string,
  remarks: Remark[],
): Parameter[] {
  const parameters: Parameter[] = [];
  for (const source of params) {
    const used = places.get(source.name);
    if (used === undefined) {
      remarks.push({ text: `${source.name} is left out: the SQL does not use it`, lost: true });
      continue;
    }
    const made = parameterOf(source, rename(source.name), used, settings.row_limit);
    parameters.push(made.parameter);
    remarks.push(...made.remarks);
    if (quoted.has(source.name))
      remarks.push({
        text: `${source.name} stood in quotes: see how the text is put together now`,
        lost: false,
      });
  }
  const declared = new Set(params.map(({ name }) => name));
  for (const name of places.keys()) {
    if (declared.has(name)) continue;
    parameters.push({ name: rename(name), type: "string", required: true, description: "" });
    remarks.push({
      text: `${name} is in the SQL and not in params: it is a string that must be sent`,
      lost: false,
    });
  }
  return parameters;
}

/** Pages of the Data Service have this many rows where the caller asks for none. */
const pageSize = 10;

function settingsOf({ settings, method }: Endpoint, body: Body, say: (text: string, lost?: boolean) => void) {
  const {
    timeout,
    row_limit: rows,
    enable_pagination: paged,
    cache_enabled: cached,
    cache_ttl: ttl,
  } = settings;
  const isTimely =
    timeout !== undefined &&
    timeout >= limits.statementDeadlineFloorMs &&
    timeout <= limits.statementDeadlineCeilingMs;
  if (timeout !== undefined && !isTimely) {
    const range = `${limits.statementDeadlineFloorMs} to ${limits.statementDeadlineCeilingMs}`;
    say(`timeout ${timeout} is left out: a deadline has ${range} ms, and old Data Apps wrote seconds`, true);
  }
  const deadline = isTimely ? { deadlineMs: timeout } : {};
  if (body.writes) {
    if (paged) say("enable_pagination is left out: a query that writes has no pages", true);
    if (cached) say("cache_enabled is left out: a query that writes is not kept", true);
    return deadline;
  }
  const hasPages = paged && body.isOrdered && !body.isLimited;
  if (paged && !hasPages) {
    const why = body.isLimited ? "its own LIMIT" : "no ORDER BY, so its pages would not be the same twice";
    say(`enable_pagination is left out, because the statement has ${why}`, true);
  }
  if (hasPages) say("page and page_size became page_size and cursor: follow the header Link");
  const most = rows ?? 1000;
  if (cached && method !== "GET") say("cache_enabled is left out: it was for GET only", true);
  return {
    ...deadline,
    ...(hasPages
      ? { page: `offset size ${Math.min(pageSize, most)} max ${most}` }
      : rows !== undefined && { maxRows: rows }),
    ...(cached && method === "GET" && { cacheSeconds: ttl ?? 0 }),
  };
}

/** @returns the mistakes with the file and line of the Data App that they come from */
function placed(
  mistakes: readonly Mistake[],
  text: string,
  { line: first }: Statement,
  { sql }: Converted,
  endpoint: Endpoint,
): string[] {
  const head = text.split("\n").length - sql.split("\n").length - 1;
  return mistakes.map(({ line, message }) => {
    const inBody = line - head;
    if (inBody < 1) return `${files.endpoints}: ${message}`;
    return `${sqlPath(endpoint)}:${first + inBody - 1}: ${message}`;
  });
}
