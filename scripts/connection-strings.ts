/**
 * Connection strings as consoles and drivers write them, understood without running anything: text in, what
 * the gateway needs out, or every reason why it cannot be honoured. Pure (docs/connect.md).
 */
import type { Parsed } from "./connection-strings/draft.ts";
import { Draft } from "./connection-strings/draft.ts";
import { readGoCodeInto, readGoInto } from "./connection-strings/go.ts";
import { readJavaScriptInto, readPythonInto } from "./connection-strings/program.ts";
import { readCommandInto } from "./connection-strings/shell.ts";
import { readJdbcInto, readUrlInto } from "./connection-strings/url.ts";

export type { ConnectionString, HostPort, Parsed } from "./connection-strings/draft.ts";
export type { TlsVersion } from "./connection-strings/value.ts";

/** A page of code at most; more was not meant to be read here. */
const mostCharacters = 20_000;

/** How each form is told from the others, in this order, and who reads it. */
const forms: { form: string; is: RegExp; read: (draft: Draft, text: string) => void }[] = [
  { form: "a JDBC URL", is: /^jdbc:/i, read: readJdbcInto },
  { form: "a URL", is: /^[a-z][a-z0-9+.-]*:\/\//i, read: readUrlInto },
  {
    form: "a command line",
    is: /^(?:[$%>#]\s+)?(?:[A-Z_]+=\S*\s+)*(?:\S*\/)?(?:mysql|mariadb|mycli)(?:\.exe)?(?:\s|$)/,
    read: readCommandInto,
  },
  { form: "Go code", is: /\bsql\.Open\(/, read: readGoCodeInto },
  {
    form: "mysql2's options",
    is: /\b(?:createConnection|createPool|createPoolCluster|new\s+(?:Sequelize|DataSource))\s*\(/,
    read: readJavaScriptInto,
  },
  {
    form: "Python's arguments",
    is: /\b(?:connect|create_engine|create_pool|create_async_engine|Connection|ConnectionPool)\s*\(|\b(?:True|False|None)\b/,
    read: readPythonInto,
  },
  { form: "Python's arguments", is: /^\w+\s*=\s*(?:[bru]?['"]|\d|\{|os\.)/i, read: readPythonInto },
  { form: "a Go DSN", is: /@?(?:tcp[46]?|unix)\([^()]*\)\//i, read: readGoInto },
  {
    form: "mysql2's options",
    is: /^(?:(?:const|let|var|export)\b[\s\S]*?=\s*)?\{/,
    read: readJavaScriptInto,
  },
];

/** @returns what a connection string says, or every reason why it is not taken; it throws nothing */
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
        "The string has none of the known forms: a mysql:// URL, jdbc:mysql://, the line of mysql, mariadb or mycli, user:password@tcp(host:port)/database, Python's keyword arguments, or mysql2's object.",
      ],
    };
  const draft = new Draft(form.form);
  form.read(draft, text);
  return draft.finish();
}

/** Takes what stands around a string: NAME=, export, quotation marks, a declaration in Java. */
function unwrap(input: string): string {
  const text = input.replace(/^\uFEFF/, "").trim();
  const java = /^(?:[\w.]+\s+)*[\w.-]+\s*[=:]\s*"(jdbc:[^"]*)"\s*;?$/.exec(text);
  if (java?.[1] !== undefined) return java[1];
  if (/^jdbc:/i.test(text)) return text;
  const assigned =
    /^(?:export\s+|set\s+|\$env:)?[\w.-]+\s*[=:]\s*((["'`]?)(?:jdbc:[a-z]|[a-z][a-z0-9+.-]*:\/\/)[\s\S]*)$/i.exec(
      text,
    );
  const dsn = /^(?:export\s+|set\s+|\$env:)?[A-Z][A-Z0-9_]*\s*=\s*([\s\S]*@(?:tcp[46]?|unix)\([\s\S]*)$/.exec(
    text,
  );
  return unquote(assigned?.[1] ?? dsn?.[1] ?? text);
}

function unquote(text: string): string {
  const match = /^(["'`])([\s\S]*)\1[;,]?$/.exec(text.trim());
  return match ? (match[2] ?? "").trim() : text.trim();
}
