import type { Draft } from "./draft.ts";
import { applySetting } from "./settings.ts";
import { readUrlInto } from "./url.ts";
import type { Value } from "./value.ts";
import { text, textOf } from "./value.ts";

/**
 * Parameters, one in each line, as consoles list them: a .env file, an option file of mysql, Java
 * properties, a YAML mapping, and the define() lines of WordPress.
 */

/** NAME=value or NAME: value, with the words that shells write before it. */
const parameter = /^\s*(?:(?:export|set|-)\s+|\$env:)?["']?([A-Za-z_][\w.-]*)["']?\s*[=:]\s*(.*)$/;
const comment = /^\s*(?:[#;].*|\/\/.*|\[[\w-]*\]\s*|<<:.*|---)?$/;
/** A line of an object or a call in a program. */
const code = /[,{([]\s*$/;

/** Names of the values that every form has. A prefix names the product or the program. */
const names: readonly [RegExp, string][] = [
  [/(?:^|[_.-])(?:host(?:_?name)?|server)$/i, "host"],
  [/(?:^|[_.-])port$/i, "port"],
  [/(?:^|[_.-])user(?:_?name)?$/i, "user"],
  [/(?:^|[_.-])pass(?:w(?:or)?d)?$/i, "password"],
  [/(?:^|[_.-])(?:db|database|schema|(?:db|database)_?name)$/i, "database"],
  [/(?:^|[_.-])(?:ssl_?)?ca(?:_?path|_?file|_?cert(?:ificate)?)?$/i, "ssl_ca"],
];
/** Prefixes that programs write before the name of a driver's setting. */
const prefix = /^(?:tidb|mysql|mariadb|database|db|rds)_/i;

/** @returns whether every line is a parameter, and at least one names the server */
export function isParameters(lines: string): boolean {
  const all = pairs(lines);
  return (
    all.length > 1 &&
    all.every((one) => one !== undefined) &&
    all.some((one) => /host|server|url/i.test(one?.[0] ?? ""))
  );
}

export function readParametersInto(draft: Draft, lines: string): void {
  const said = pairs(lines).filter((pair) => pair !== undefined);
  for (const [pattern, what] of names) {
    // A whole .env file may contain another server's password, which must not be taken.
    if (said.filter(([name]) => pattern.test(name)).length > 1)
      draft.refuse(`Two lines say the ${what}: leave only those of the database.`);
  }
  for (const [name, value] of said) readParameter(draft, name, readValue(draft, value));
}

/** @returns name and value of each line; undefined for a line that is not a parameter */
function pairs(lines: string): ([string, string] | undefined)[] {
  const all = lines.split(/\r?\n/).filter((one) => !comment.test(one));
  const left = all.filter((one, i) => !isSection(one, all[i + 1]));
  const found: ([string, string] | undefined)[] = [];
  for (let one = left.shift(); one !== undefined; one = left.shift()) {
    const [, name, written = ""] = code.test(one) ? [] : (parameter.exec(one) ?? []);
    // A console may show the value in the line below its name.
    const isBelow = written === "" && /:\s*$/.test(one) && left[0] !== undefined && !isKnown(left[0]);
    found.push(name === undefined ? undefined : [name, isBelow ? (left.shift() ?? "") : written]);
  }
  return found;
}

/** A name of YAML above parameters that are further in: production:, or `spring:` and `datasource:`. */
function isSection(one: string, next: string | undefined): boolean {
  const [, indent] = /^(\s*)[\w.-]+:\s*(?:&\w+\s*)?$/.exec(one) ?? [];
  return indent !== undefined && next !== undefined && (/^\s*/.exec(next)?.[0] ?? "").length > indent.length;
}

function isKnown(one: string): boolean {
  const [, name = ""] = parameter.exec(one) ?? [];
  return name !== "" && names.some(([pattern]) => pattern.test(name));
}

/** Quotation marks work as in a shell. The value of a $ variable is not known here. */
function readValue(draft: Draft, written: string): Value {
  const quoted = /^(?:'([^']*)'|"((?:[^"\\]|\\.)*)"|`([^`]*)`)\s*[,;]?\s*(?:#.*)?$/.exec(written.trim());
  if (quoted?.[1] !== undefined) return text(quoted[1]);
  const plain = quoted
    ? (quoted[2]?.replace(/\\(["\\$`])/g, "$1") ?? quoted[3] ?? "")
    : withoutComment(written);
  if (!quoted && /#/.test(plain)) {
    draft.refuse("A value has a # outside of quotation marks: put the value into single quotation marks.");
    return { kind: "none" };
  }
  return /\$(?:\{|\(|[A-Za-z_])/.test(plain) ? { kind: "code", source: plain } : text(plain);
}

function withoutComment(written: string): string {
  return written.replace(/(?:^|\s)#.*$/, "").trim();
}

function readParameter(draft: Draft, name: string, value: Value): void {
  const said = textOf(value) ?? "";
  if (/(?:^|[_.-])(?:url|uri|dsn)$/i.test(name) && /^mysql:\w|:\/\//i.test(said)) {
    readUrlInto(draft, said);
    return;
  }
  const [, known] = names.find(([pattern]) => pattern.test(name)) ?? [];
  const [, host, port] = (known === "host" && /^([^:]+):(\d+)$/.exec(said)) || [];
  if (host !== undefined) draft.addHost(host, port);
  else if (value.kind === "text" && said === "") return;
  else if (known === "password" || known === "user" || known === "database") draft.set(known, value);
  else applySetting(draft, known ?? name.replace(prefix, ""), value);
}

/** WordPress' wp-config.php: DB_NAME is the name of the database, and the host contains the port. */
export function readDefinesInto(draft: Draft, code: string): void {
  const calls =
    /\bdefine\s*\(\s*(["'])(\w+)\1\s*,\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([^)]*(?:\([^)]*\)[^)]*)*))\s*\)/g;
  for (const [, , name = "", single, double, source = ""] of code.matchAll(calls)) {
    const written = single ?? double;
    if (/MYSQLI_CLIENT_SSL_DONT_VERIFY_SERVER_CERT/.test(source))
      draft.refuse(
        `${name} takes any server's certificate: take MYSQLI_CLIENT_SSL_DONT_VERIFY_SERVER_CERT out.`,
      );
    else if (/^(?:DB_(?:NAME|USER|PASSWORD|HOST)|MYSQL_SSL_CA)$/.test(name)) {
      const value: Value =
        written === undefined || (double !== undefined && /\$[A-Za-z_{]/.test(double))
          ? { kind: "code", source: source.trim() }
          : text(written.replace(double === undefined ? /\\(['\\])/g : /\\(["\\$])/g, "$1"));
      readParameter(draft, name, value);
    }
  }
}
