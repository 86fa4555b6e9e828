import type { Draft } from "./draft.ts";
import { applySetting } from "./settings.ts";
import { readUrlInto } from "./url.ts";
import type { Value } from "./value.ts";
import { text } from "./value.ts";

/** The command lines of mysql, mariadb and mycli. */

/** A word of a shell's line; `code` if the shell would replace a part of it. */
interface Word {
  text: string;
  code: boolean;
}

/**
 * Splits a line as a POSIX shell does, without executing anything. The packages for this drop the text
 * after a # inside a word, and accept a quotation mark that does not end. Both change a password silently,
 * so the function is written here.
 * @returns the words, or why there are none
 */
export function shellWords(line: string): Word[] | string {
  const words: Word[] = [];
  let word: Word | undefined;
  const take = (part: string, code = false) => {
    word ??= { text: "", code: false };
    word.text += part;
    word.code ||= code;
  };
  // In turn: 'literal', "double", $'..' and variables, \x, <BLANK>, white space, an operator, a plain
  // character.
  const parts =
    /'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|(\$(?:['"({]|\w)|`)|\\([\s\S])|(<[A-Za-z][^<>'"\n]*>)|(\s+)|([;&|<>()])|([^'"\\])/gy;
  let end = 0;
  for (const [whole, single, double, variable, escaped, blank, space, operator, plain] of line.matchAll(
    parts,
  )) {
    end += whole.length;
    if (single !== undefined) take(single);
    else if (double !== undefined) take(unescapeDouble(double), /(?<!\\)(?:\$[\w({]|`)/.test(double));
    else if (variable !== undefined) take(whole, true);
    else if (escaped !== undefined) {
      // A \ at the end of a line only joins two lines.
      if (escaped !== "\n") take(escaped);
    } else if (blank !== undefined) take(blank);
    else if (space !== undefined) {
      if (word) words.push(word);
      word = undefined;
    } else if (operator !== undefined)
      return "The line has one of the characters ; & | < > ( ) outside of quotes: give one command, and put the password in single quotes.";
    else if (plain === "#" && !word) return words;
    else take(plain ?? "");
  }
  if (word) words.push(word);
  return end < line.length ? "A quotation mark of the line does not end: close it." : words;
}

function unescapeDouble(double: string): string {
  return double.replace(/\\\n/g, "").replace(/\\([$`"\\])/g, "$1");
}

/** One-letter options with a value. Options that only concern the client have no name. */
const letters: Record<string, string | undefined> = {
  u: "user",
  h: "host",
  P: "port",
  D: "database",
  S: "socket",
  e: undefined,
};
/** Long options whose value is the next word if there is no =. */
const withValue =
  /^(?:user|host|port|database|socket|protocol|ssl-(?:mode|ca|capath|cert|key|cipher|crl|crlpath|fp)|tls-(?:version|ciphersuites|sni-servername)|connect-timeout|default-character-set|default-auth|execute|delimiter|prompt|init-command|max-allowed-packet|net-buffer-length|plugin-dir|character-sets-dir|pager|tee|defaults-.*|login-path|myclirc|logfile|dsn|charset)$/;

/** Reads the line of mysql, mariadb or mycli. */
export function readCommandInto(draft: Draft, line: string): void {
  const words = shellWords(line.replace(/^\s*[$%>#]\s+/, "").replace(/\r\n/g, "\n"));
  if (typeof words === "string") {
    draft.refuseAll(words);
    return;
  }
  while (words[0] && /^[A-Za-z_]\w*=/.test(words[0].text)) {
    const { text: assignment, code } = words.shift() as Word;
    if (assignment.startsWith("MYSQL_PWD=")) draft.set("password", wordValue(assignment.slice(10), code));
  }
  const isMycli = /mycli(?:\.exe)?$/i.test(words.shift()?.text ?? "");
  const positional: Word[] = [];
  while (words.length > 0) {
    const word = words.shift() as Word;
    if (word.text === "--") positional.push(...words.splice(0));
    else if (word.text.startsWith("--")) readLong(draft, word, words, isMycli);
    else if (/^-./.test(word.text)) readShort(draft, word, words, isMycli);
    else positional.push(word);
  }
  const [first, ...rest] = positional;
  if (rest.length > 0) draft.refuse("The line names more than one database: leave one.");
  else if (first && /^\w[\w+]*:\/\//.test(first.text)) readUrlInto(draft, first.text);
  else if (first) draft.set("database", wordValue(first.text, first.code));
}

function readLong(draft: Draft, word: Word, words: Word[], isMycli: boolean): void {
  const [, prefix, name = "", glued] =
    /^--(?:loose-)?(skip-|disable-|enable-)?([^=]*)(?:=([\s\S]*))?$/.exec(
      word.text.replace(/^[^=]*/, dashes),
    ) ?? [];
  if (/^pass/.test(name)) {
    // Without = the client asks for the password; mycli takes the next word.
    const next = glued === undefined && isMycli ? words.shift() : undefined;
    if (glued !== undefined) draft.set("password", wordValue(glued, word.code));
    else if (next) draft.set("password", wordValue(next.text, next.code));
    return;
  }
  if (/^defaults-(?!group)|^login-path|^dsn$/.test(name))
    draft.refuseAll(
      "The line takes its settings from a file: write host, user and the rest into the line itself.",
    );
  const next =
    glued === undefined && prefix === undefined && withValue.test(name) ? words.shift() : undefined;
  const code = glued === undefined ? (next?.code ?? false) : word.code;
  const flag = prefix === "skip-" || prefix === "disable-" ? "0" : "1";
  applySetting(draft, name, wordValue(glued ?? next?.text ?? flag, code));
}

function readShort(draft: Draft, word: Word, words: Word[], isMycli: boolean): void {
  // Flags without a value may be joined before one with a value: -ABp.
  const start = word.text
    .split("")
    .findIndex((letter, i) => i > 0 && (letter === "p" || Object.hasOwn(letters, letter)));
  if (start < 0) return;
  const letter = word.text.charAt(start);
  const glued = word.text.slice(start + 1);
  if (letter === "p") {
    const next = glued === "" && isMycli ? words.shift() : undefined;
    if (glued !== "") draft.set("password", wordValue(glued, word.code));
    else if (next) draft.set("password", wordValue(next.text, next.code));
    return;
  }
  const next = glued === "" ? words.shift() : undefined;
  const name = letters[letter];
  if (name === undefined) draft.ignore();
  else applySetting(draft, name, wordValue(next?.text ?? glued, next?.code ?? word.code));
}

/** mysql accepts _ for - in a name, but not in a value. */
function dashes(name: string): string {
  return name.replaceAll("_", "-");
}

function wordValue(word: string, code: boolean): Value {
  return code ? { kind: "code", source: word } : text(word);
}
