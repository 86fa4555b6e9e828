/**
 * Parses connection strings of consoles and drivers without executing anything. Text in; out come the
 * values that the gateway needs, or every reason why it cannot honour the string. Pure (docs/guides/connect.md).
 */
import { isAdo, isDotnet, readAdoInto, readDotnetInto } from "./ado.ts";
import type { Parsed } from "./draft.ts";
import { Draft } from "./draft.ts";
import { readGoCodeInto, readGoInto } from "./go.ts";
import { isParameters, readDefinesInto, readParametersInto } from "./parameters.ts";
import { phpCode, readPhpInto } from "./php.ts";
import { readJavaScriptInto, readPythonInto } from "./program.ts";
import { readRubyInto } from "./ruby.ts";
import { readRustInto } from "./rust.ts";
import { readCommandInto } from "./shell.ts";
import { readJavaInto, readUrlInto } from "./url.ts";

export type { ConnectionString, HostPort, Parsed } from "./draft.ts";
export type { TlsVersion } from "./value.ts";

/** About a page of code. A longer text is a mistake. */
const mostCharacters = 20_000;

/** How each form is recognized, in this order, and which function reads it. */
const forms: {
  form: string;
  is: { test(text: string): boolean };
  read: (draft: Draft, text: string) => void;
}[] = [
  { form: "a JDBC URL", is: /^jdbc:/i, read: readUrlInto },
  { form: "an R2DBC URL", is: /^r2dbcs?:/i, read: readUrlInto },
  { form: "PDO's DSN", is: /^mysql:(?!\/\/)\s*\w/i, read: readUrlInto },
  { form: "a URL", is: /^[a-z][a-z0-9+.-]*:\/\//i, read: readUrlInto },
  {
    form: "a command line",
    is: /^(?:[$%>#]\s+)?(?:[A-Z_]+=\S*\s+)*(?:\S*\/)?(?:mysql|mariadb|mycli)(?:\.exe)?(?:\s|$)/,
    read: readCommandInto,
  },
  { form: "ADO.NET's string", is: { test: isAdo }, read: readAdoInto },
  { form: "ADO.NET's string", is: { test: isDotnet }, read: readDotnetInto },
  { form: "Go code", is: /\bsql\.Open\(/, read: readGoCodeInto },
  { form: "Ruby's mysql2", is: /\bMysql2::Client\.new\b/, read: readRubyInto },
  { form: "WordPress' constants", is: /\bdefine\s*\(\s*["']DB_/, read: readDefinesInto },
  { form: "Rust's sqlx", is: /\bMySqlConnectOptions::new\b/, read: readRustInto },
  { form: "parameters", is: { test: isParameters }, read: readParametersInto },
  { form: "PHP", is: phpCode, read: readPhpInto },
  { form: "Java code", is: /"jdbc:/, read: readJavaInto },
  {
    form: "mysql2's options",
    is: /\b(?:createConnection|createPool|createPoolCluster|new\s+(?:Sequelize|DataSource|PrismaMariaDb)|knex|drizzle)\s*\(/,
    read: readJavaScriptInto,
  },
  {
    form: "Python's arguments",
    is: /\b(?:connect|create_engine|create_pool|create_async_engine|URL\.create|Connection|ConnectionPool)\s*\(|\b(?:True|False|None)\b/,
    read: readPythonInto,
  },
  { form: "Python's arguments", is: /^\w+\s*=\s*(?:[bru]?['"]|\d|\{|os\.)/i, read: readPythonInto },
  { form: "a Go DSN", is: /@?(?:tcp[46]?|unix)\([^()]*\)\//i, read: readGoInto },
  {
    form: "mysql2's options",
    is: /^(?:(?:const|let|var|export)\b[\s\S]*?=\s*)?\{/,
    read: readJavaScriptInto,
  },
  {
    form: "mysql2's options",
    is: /^\w+\s*:\s*["'`\d]/,
    read: (draft, text) => readJavaScriptInto(draft, `{${text}}`),
  },
];

/** @returns the values of a connection string, or every reason why it is refused; never throws */
export function parseConnectionString(input: string): Parsed {
  if (input.length > mostCharacters)
    return {
      holdsPassword: false,
      refusals: [`The string has more than ${mostCharacters} characters: give the connection only.`],
    };
  const text = unwrap(input);
  if (text === "") return { holdsPassword: false, refusals: ["There is no connection string."] };
  const form = forms.find(({ is }) => is.test(text));
  if (!form)
    return {
      holdsPassword: false,
      refusals: [
        "The string has none of the known forms: a mysql:// URL, jdbc:mysql://, the line of mysql, mariadb or mycli, user:password@tcp(host:port)/database, Server=..;Uid=..;Pwd=.. of ADO.NET, mysql:host=..;dbname=.. of PDO, arguments of Python's, PHP's, Ruby's or Rust's drivers, mysql2's object, define() lines of WordPress, or NAME=value lines with a host.",
      ],
    };
  const draft = new Draft(form.form);
  form.read(draft, text);
  return draft.finish();
}

/** Removes the text around a string: NAME=, export, quotation marks, a declaration in Java. */
function unwrap(input: string): string {
  const text = withoutComments(input.replace(/^\uFEFF/, "").trim());
  if (/^(?:jdbc|r2dbcs?):/i.test(text) || isParameters(text)) return text;
  const assigned =
    /^(?:export\s+|set\s+|\$env:)?[\w.-]+\s*[=:]\s*((["'`]?)(?:jdbc:[a-z]|r2dbcs?:[a-z]|mysql:[a-z]+=|[a-z][a-z0-9+.-]*:\/\/)[\s\S]*)$/i.exec(
      text,
    );
  const dsn = /^(?:export\s+|set\s+|\$env:)?[A-Z][A-Z0-9_]*\s*=\s*([\s\S]*@(?:tcp[46]?|unix)\([\s\S]*)$/.exec(
    text,
  );
  const [, ado = ""] = /^(?:export\s+|set\s+|\$env:)?[\w.:-]+\s*[=:]\s*([\s\S]+)$/.exec(text) ?? [];
  if (!isAdo(text) && isAdo(unquote(ado))) return unquote(ado);
  return unquote(assigned?.[1] ?? dsn?.[1] ?? text);
}

/** Consoles write a comment above a JDBC URL. */
function withoutComments(text: string): string {
  const bare = text.replace(/^(?:(?:\/\*[\s\S]*?\*\/|\/\/[^\n]*\n)\s*)+/, "");
  return /^jdbc:/i.test(bare) ? bare : text;
}

function unquote(text: string): string {
  const match = /^(["'`])([\s\S]*)\1[;,]?$/.exec(text.trim());
  return match ? (match[2] ?? "").trim() : text.trim();
}
