import { limits } from "../../limits.ts";
import type { TokenKind, Tokens } from "../tokens.ts";
import { plainFunctions } from "./functions.ts";
import type { PlainSelect } from "./plain-select.ts";
import type { PlainEngine } from "./servers.ts";
import { fromFunctions, isRefusedWord, openers, plainKeywords, sizedTypes } from "./words.ts";

/** A pair of parentheses, or the whole statement. */
interface Level {
  /**
   * `query`: begins with SELECT. `tables`: joined tables. `arguments`: of a function that may have FROM.
   * `group`: everything else.
   */
  kind: "query" | "tables" | "arguments" | "group";
  /** The part of a query: SELECT is due, the select list, the tables, and everything behind them. */
  part: "start" | "list" | "tables" | "rest";
  /** A table, or a parenthesis around tables, must come next. */
  tableIsDue: boolean;
}

const refusedKinds: ReadonlySet<TokenKind | undefined> = new Set<TokenKind>([
  "user_variable",
  "system_variable",
  "named",
  "assign",
  "semicolon",
]);

/**
 * The characters of a name. A server may take other letters for equal ones, `#` begins a directory's name, and
 * `@` a variable.
 */
const nameForm = /^[0-9A-Za-z_$-]{1,64}$/;

/**
 * Reads one statement from its first token to its last. It follows the parentheses and the clauses of each
 * query, so that it knows where a table stands.
 */
export class PlainReader {
  readonly #tokens: Tokens;
  readonly #engine: PlainEngine;
  readonly #names = new Set<string>();
  readonly #tables = new Set<string>();
  readonly #functions = new Set<string>();
  readonly #levels: Level[] = [newLevel("query")];

  constructor(tokens: Tokens, engine: PlainEngine) {
    this.#tokens = tokens;
    this.#engine = engine;
  }

  read(): PlainSelect | undefined {
    const tokens = this.#tokens;
    // The guard has replaced comments by spaces. What is left is a hint.
    if (tokens.gaps.length > 0) return undefined;
    for (let at = 0; at < tokens.length; at++) if (!this.#accepts(at)) return undefined;
    const level = this.#level;
    const isWhole = this.#levels.length === 1 && level.part !== "start" && !level.tableIsDue;
    if (!isWhole || this.#names.size > limits.plainNames) return undefined;
    return { names: [...this.#names], tables: [...this.#tables], functions: [...this.#functions] };
  }

  get #level(): Level {
    const level = this.#levels.at(-1);
    if (level === undefined) throw new Error("there is no level");
    return level;
  }

  #accepts(at: number): boolean {
    const kind = this.#tokens.kind(at);
    const level = this.#level;
    if (refusedKinds.has(kind)) return false;
    if (level.part === "start" && kind !== "word") return false;
    switch (kind) {
      case "word":
        return this.#acceptsWord(at);
      case "identifier":
        return (
          this.#tokens.kind(at + 1) !== "open" && this.#acceptsName(at, this.#tokens.text(at).slice(1, -1))
        );
      case "open":
        return this.#opens(at);
      case "close":
        return this.#closes();
      case "comma":
        return this.#separates();
      case "dot":
        return (
          this.#tokens.isName(at - 1) && (this.#tokens.isName(at + 1) || this.#tokens.text(at + 1) === "*")
        );
      default:
        return !level.tableIsDue && this.#isLiteralOrOperator(at);
    }
  }

  /**
   * Refuses `N'..'`; a string with an introducer; the braces of ODBC and a single colon; a number with a dot
   * directly after a name, which is a name to MySQL (`other.5`).
   */
  #isLiteralOrOperator(at: number): boolean {
    const tokens = this.#tokens;
    const first = tokens.source[tokens.start(at)] ?? "";
    const isIntroduced = tokens.isName(at - 1) && tokens.text(at - 1).startsWith("_");
    switch (tokens.kind(at)) {
      case "string":
        return !isIntroduced && (first === "'" || first === '"');
      case "number":
        return !isIntroduced && !(first === "." && tokens.isName(at - 1));
      case "operator":
        return !"{}:".includes(first);
      default:
        return tokens.kind(at) === "positional";
    }
  }

  #acceptsWord(at: number): boolean {
    const tokens = this.#tokens;
    const word = tokens.keyword(at);
    const isKeyword = plainKeywords[this.#engine].has(word);
    const isQualified = tokens.kind(at - 1) === "dot";
    if (isQualified && (isKeyword || tokens.kind(at + 1) === "open")) return false;
    if (this.#level.part === "start" && word !== "SELECT") return tokens.keyword(at - 1) === "UNION";
    if (tokens.kind(at + 1) === "open" && !(isKeyword && openers.has(word)))
      return this.#calls(at, word, isKeyword);
    if (isKeyword) return this.#acceptsKeyword(at, word);
    if (word === "DUAL" && this.#level.tableIsDue) return tokens.kind(at + 1) !== "dot" && this.#takesTable();
    return !isRefusedWord(word) && this.#acceptsName(at, tokens.text(at));
  }

  /**
   * With a blank before the parenthesis, `COUNT (1)` calls a stored function on MySQL and MariaDB, unless the
   * word is reserved.
   */
  #calls(at: number, word: string, isKeyword: boolean): boolean {
    const tokens = this.#tokens;
    if (this.#level.tableIsDue) return false;
    if (sizedTypes.has(word) && tokens.keyword(at - 1) === "AS") return true;
    const touches = tokens.end(at) === tokens.start(at + 1);
    if (!plainFunctions[this.#engine].has(word) || !(touches || isKeyword)) return false;
    this.#functions.add(word);
    return true;
  }

  #acceptsName(at: number, name: string): boolean {
    const tokens = this.#tokens;
    if (!nameForm.test(name)) return false;
    this.#names.add(name);
    if (!this.#level.tableIsDue) return true;
    // A table of another database, or a function of tables.
    if (tokens.kind(at + 1) === "dot" || tokens.kind(at + 1) === "open" || tokens.kind(at - 1) === "dot")
      return false;
    this.#tables.add(name);
    return this.#takesTable();
  }

  #takesTable(): boolean {
    this.#level.tableIsDue = false;
    return true;
  }

  #acceptsKeyword(at: number, word: string): boolean {
    const level = this.#level;
    const isTables = level.kind === "tables" || level.part === "tables";
    if (level.tableIsDue) return false;
    switch (word) {
      case "SELECT":
        if (level.kind !== "query" || level.part !== "start") return false;
        level.part = "list";
        return true;
      case "FROM":
        if (level.kind === "arguments") return true;
        if (level.kind !== "query" || level.part !== "list") return false;
        level.part = "tables";
        level.tableIsDue = true;
        return true;
      case "JOIN":
        level.tableIsDue = true;
        return isTables;
      case "STRAIGHT_JOIN":
        // Directly after SELECT it is about the order of all joins.
        level.tableIsDue = isTables;
        return isTables || this.#tokens.keyword(at - 1) === "SELECT";
      case "WHERE":
      case "HAVING":
        level.part = "rest";
        return level.kind === "query";
      case "GROUP":
      case "ORDER":
      case "LIMIT":
        if (level.kind === "query") level.part = "rest";
        return level.kind !== "tables" && this.#isPart(at, word);
      case "UNION":
        return this.#unites(at);
      default:
        return true;
    }
  }

  #isPart(at: number, word: string): boolean {
    return word === "LIMIT" || this.#tokens.keyword(at + 1) === "BY";
  }

  /** UNION [ALL | DISTINCT] SELECT */
  #unites(at: number): boolean {
    const level = this.#level;
    const next = this.#tokens.keyword(at + 1);
    const hasOption = next === "ALL" || next === "DISTINCT";
    if (level.kind !== "query") return false;
    if (this.#tokens.keyword(hasOption ? at + 2 : at + 1) !== "SELECT") return false;
    level.part = "start";
    return true;
  }

  #opens(at: number): boolean {
    const tokens = this.#tokens;
    const level = this.#level;
    const before = tokens.kind(at - 1);
    if (before !== "word" && before !== "operator" && before !== "comma" && before !== "open") return false;
    if (tokens.keyword(at + 1) === "SELECT") this.#levels.push(newLevel("query"));
    else if (level.tableIsDue) this.#levels.push({ ...newLevel("tables"), tableIsDue: true });
    else if (before === "word" && fromFunctions.has(tokens.keyword(at - 1)))
      this.#levels.push(newLevel("arguments"));
    else this.#levels.push(newLevel("group"));
    return true;
  }

  #closes(): boolean {
    const closed = this.#levels.pop();
    if (closed === undefined || closed.tableIsDue || this.#levels.length === 0) return false;
    const level = this.#level;
    // A subquery, or the tables in parentheses, stood where a table stands.
    level.tableIsDue = false;
    return true;
  }

  #separates(): boolean {
    const level = this.#level;
    if (level.tableIsDue) return false;
    level.tableIsDue = level.kind === "tables" || level.part === "tables";
    return true;
  }
}

function newLevel(kind: Level["kind"]): Level {
  return { kind, part: kind === "query" ? "start" : "rest", tableIsDue: false };
}
