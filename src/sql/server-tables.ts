/**
 * The server's own schemas and variables. Tells which of them are harmless, and which need the permission
 * sql:server.
 */

import type { Head } from "./dml-kind.ts";
import { StatementError } from "./errors.ts";
import { serverSchemaOf } from "./server-schemas.ts";
import type { Tokens } from "./tokens.ts";

/**
 * Tables of information_schema that describe schema objects and abilities of the server. They show no
 * statement, account, definer or value of a column. A table that is not in this list needs sql:server, so new
 * tables of later servers need it too.
 */
const harmless = new Set(
  [
    ...["SCHEMATA", "SCHEMATA_EXTENSIONS", "TABLES", "TABLES_EXTENSIONS", "COLUMNS", "COLUMNS_EXTENSIONS"],
    ...["STATISTICS", "KEY_COLUMN_USAGE", "REFERENTIAL_CONSTRAINTS", "CHECK_CONSTRAINTS", "PARTITIONS"],
    ...["TABLE_CONSTRAINTS", "TABLE_CONSTRAINTS_EXTENSIONS", "VIEW_TABLE_USAGE", "PARAMETERS", "SEQUENCES"],
    ...["CHARACTER_SETS", "COLLATIONS", "COLLATION_CHARACTER_SET_APPLICABILITY", "ENGINES", "KEYWORDS"],
    ...["SQL_FUNCTIONS", "PERIODS", "KEY_PERIOD_USAGE", "TIDB_INDEXES", "ST_GEOMETRY_COLUMNS"],
    ...["ST_SPATIAL_REFERENCE_SYSTEMS", "ST_UNITS_OF_MEASURE", "GEOMETRY_COLUMNS", "SPATIAL_REF_SYS"],
  ].map((name) => name.toLowerCase()),
);

/** @returns the server's schema that a token names, with or without backquotes; undefined for other tokens */
function serverSchema(tokens: Tokens, at: number): string | undefined {
  if (!tokens.isName(at)) return undefined;
  return serverSchemaOf(tokens.text(at).replaceAll("`", ""));
}

/**
 * A table, a function, or in SHOW nothing may follow a schema's name. Only a table of the list is harmless.
 */
function isHarmless(tokens: Tokens, schema: number): boolean {
  return (
    serverSchema(tokens, schema) === "information_schema" &&
    harmless.has(tokens.name(schema + 2).toLowerCase()) &&
    tokens.kind(schema + 3) !== "open"
  );
}

/** @returns whether a token begins `schema.object` of a server's schema; `own.sys.column` does not */
function namesServerObject(tokens: Tokens, at: number): boolean {
  if (tokens.kind(at + 1) !== "dot" || serverSchema(tokens, at) === undefined) return false;
  return !(tokens.kind(at - 1) === "dot" && tokens.isName(at - 2));
}

/**
 * Functions that show other callers' statements (https://docs.pingcap.com/tidb/stable/tidb-functions), or
 * accounts and roles (MySQL's graph of them). Servers also find their own functions by names in backquotes.
 */
const tellingFunctions = new Set(["TIDB_DECODE_SQL_DIGESTS", "TIDB_MVCC_INFO", "ROLES_GRAPHML"]);

/**
 * Tells whether a statement names an object of the server that may show other callers, accounts or secret
 * settings. It looks at every place: subqueries, CTEs, DESCRIBE, EXPLAIN. It cannot see inside views and
 * stored programs: there the account's privileges protect.
 */
export function tellsOfServer(tokens: Tokens, end: number): boolean {
  for (let at = 0; at < end; at++) {
    if (namesServerObject(tokens, at) && !isHarmless(tokens, at)) return true;
    if (tokens.kind(at) === "system_variable" && isTellingVariable(variableName(tokens, at))) return true;
    if (tellingFunctions.has(tokens.calls(at))) return true;
  }
  return false;
}

/**
 * Refuses changes that name a schema of the server. Its rows are accounts, privileges and settings: a change
 * of mysql.user would act like ALTER USER. A view or a program that names such a schema would show its rows
 * to callers without the permission.
 * @throws StatementError `not_allowed`
 */
export function checkServerSchemas(tokens: Tokens, end: number, head: Head): void {
  // In CREATE [OR REPLACE] DATABASE [IF NOT EXISTS] name, no dot follows the name.
  const object = tokens.is(1, "OR") && tokens.is(2, "REPLACE") ? 3 : 1;
  const isAboutDatabase =
    head.kind === "ddl" && (tokens.is(object, "DATABASE") || tokens.is(object, "SCHEMA"));
  for (let at = 0; at < end; at++) {
    const schema = serverSchema(tokens, at);
    if (schema === undefined) continue;
    if (!isAboutDatabase && (!namesServerObject(tokens, at) || isHarmless(tokens, at))) continue;
    throw new StatementError(
      "not_allowed",
      `A statement that changes something may not name the server's own schema ${schema}.`,
      tokens.start(at),
    );
  }
}

/** @returns the whole name of `@@name`, `@@global.name` or `@@`name`` in lower case, with its scope */
function variableName(tokens: Tokens, from: number): string {
  let name = tokens.text(from);
  for (let at = from + 1; name.endsWith(".") || tokens.kind(at) === "dot"; at++) {
    const isPart = tokens.kind(at) === "dot" || (name.endsWith(".") && tokens.isName(at));
    if (!isPart) break;
    name += tokens.text(at);
  }
  return name.replaceAll(/[@`\s]/g, "").toLowerCase();
}

/** Variables that hold a whole configuration, an SQL text of the operator, an address or a password. */
const tellingVariables = [
  ...[
    "tidb_config",
    "tidb_cloud_storage_uri",
    "feedback_user_info",
    "init_connect",
    "init_file",
    "init_slave",
  ],
  ...["init_replica", "report_host", "report_password", "report_port", "report_user", "s3_access_key"],
  ...["s3_secret_key", "wsrep_cluster_address", "wsrep_node_address", "wsrep_node_incoming_address"],
  ...["wsrep_provider_options", "wsrep_sst_auth", "wsrep_sst_donor", "wsrep_sst_receive_address"],
  ...["authentication_ldap_sasl_bind_root_pwd", "authentication_ldap_simple_bind_root_pwd"],
  ...["keyring_hashicorp_role_id", "keyring_hashicorp_secret_id"],
  ...["tidb_service_scope", "tidb_redact_log", "hashicorp_key_management_token", "validate_password.policy"],
];
/** Words in the name of a variable that may hold a secret. */
const tellingWords =
  /passw|pwd|secret|auth|credential|access_key|token(?!_size)|_uri\b|^wsrep_|^report_|^init_/;

/**
 * MySQL also finds a variable by letters with accents, and TiDB by some others. No variable's name has such
 * letters.
 */
const beyondAscii = /[^ -~]/;

function isTellingVariable(name: string): boolean {
  if (beyondAscii.test(name)) return true;
  const bare = name.replace(/^(?:global|session|local|instance|persist|persist_only)\./, "");
  return tellingVariables.includes(bare) || tellingWords.test(bare);
}

/**
 * @param pattern of LIKE, or a name; ASCII letters, digits, `_`, `.` and `%`
 * @returns whether the pattern matches a variable that may hold a secret
 */
function fitsTellingVariable(pattern: string): boolean {
  const name = pattern.toLowerCase();
  const fits = new RegExp(`^${name.replaceAll(".", "\\.").replaceAll("_", ".").replaceAll("%", ".*")}$`);
  return isTellingVariable(name) || tellingVariables.some((one) => fits.test(one));
}

/**
 * SHOW VARIABLES shows no secret if it names the variables: `LIKE 'sql_mode'`, `WHERE Variable_name =
 * 'sql_mode'`, `WHERE Variable_name IN ('sql_mode', 'time_zone')`.
 * @param from the token after VARIABLES
 */
export function namesHarmlessVariables(tokens: Tokens, from: number, end: number): boolean {
  const isNamed = tokens.is(from, "WHERE") && tokens.name(from + 1) === "VARIABLE_NAME";
  if (tokens.is(from, "LIKE")) return from + 2 === end && isHarmlessName(tokens, from + 1);
  if (isNamed && tokens.text(from + 2) === "=") return from + 4 === end && isHarmlessName(tokens, from + 3);
  if (!isNamed || !tokens.is(from + 2, "IN") || tokens.kind(from + 3) !== "open") return false;
  for (let at = from + 4; isHarmlessName(tokens, at); at += 2) {
    if (tokens.kind(at + 1) === "close") return at + 2 === end;
    if (tokens.kind(at + 1) !== "comma") return false;
  }
  return false;
}

function isHarmlessName(tokens: Tokens, at: number): boolean {
  const [, name] = /^['"]([\w.%]{1,64})['"]$/.exec(tokens.text(at)) ?? [];
  // A regular expression with many `.*` may be slow.
  if (tokens.kind(at) !== "string" || name === undefined || name.split("%").length > 4) return false;
  return !fitsTellingVariable(name);
}
