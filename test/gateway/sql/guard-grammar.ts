/**
 * Makes statements for the trial of the guard: from a grammar, then changed at random. Their effects stay
 * in one scratch schema.
 */

type Random = () => number;

export interface Dialect {
  /**
   * Whether there is a sequence `seq`, and a table `d` with a column `n` whose default is the sequence's
   * next value.
   */
  sequences: boolean;
  /** A file that INTO OUTFILE may name. */
  outfile: string;
}

/** Expressions that write, on servers with sequences. */
const advancing =
  "NEXTVAL(seq)|NEXT VALUE FOR seq|SETVAL(seq, 50)|`nextval`('guard_fuzz.seq')|`setval`('guard_fuzz.seq', 60)|(SELECT DEFAULT(n) FROM d LIMIT 1)|SETVAR('canary', 'dead')|`setvar`('canary', 'dead')".split(
    "|",
  );

/**
 * Actions that a read must not do. Each one is visible: in a table, in `@canary`, or in the server's
 * answer.
 */
const harms = [
  ..."INTO @canary|INTO @`canary`|INTO OUTFILE 'x'|INTO DUMPFILE 'x'|, (@canary := 1)|, @canary:=1|INTO @canary FROM t".split(
    "|",
  ),
  ..."; DELETE FROM t|; INSERT INTO t VALUES (9, 'x')|; UPDATE t SET b = 'x'|; DROP TABLE u|;TRUNCATE u|; SET @canary = 1|; CREATE TABLE w (a INT)".split(
    "|",
  ),
  ..."; CREATE USER guard_fuzz|; ALTER TABLE u ADD c INT|; REPLACE t VALUES (1, 'y')".split("|"),
];

const whole = [
  ..."DELETE FROM t|UPDATE t SET b = 'x'|INSERT INTO t VALUES (9, 'x')|REPLACE t VALUES (1, 'y')|TRUNCATE u|SET @canary = 1|DO (@canary := 1)".split(
    "|",
  ),
  ..."CREATE TABLE w (a INT)|DROP TABLE u|PREPARE p FROM 'DELETE FROM t'|WITH x AS (SELECT 1) DELETE FROM t".split(
    "|",
  ),
  ..."INSERT INTO t SELECT 9, 'x'|DELETE FROM t RETURNING a|UPDATE t, u SET t.b = 'z'|EXECUTE IMMEDIATE 'DELETE FROM t'".split(
    "|",
  ),
  ..."BEGIN NOT ATOMIC DELETE FROM t; END|SET STATEMENT max_statement_time = 1 FOR DELETE FROM t|CALL p()".split(
    "|",
  ),
];

const values = [
  ..."1|'x'|\"x\"|N'x'|x'41'|X'41'|0x41|b'01'|0b1|1.5|.5|1.|1e5|1e-2|1.e1|NULL|@a|@`a`|@'a'|@@version|-1|--1|a|b|`a`|t.a".split(
    "|",
  ),
  ..."_latin1'x'|_binary x'41'|_gbk'x\\\\'|_utf8mb4\"x\"|_sjis'\\\\'|_ucs2 x'0041'|'it''s'|'\\''|\"\\\"\"|'\\\\'|''|\"'\"|'\"'|'`'".split(
    "|",
  ),
  ..."(SELECT 1)|(SELECT a FROM t LIMIT 1)|CONCAT('a', 'b')|GET_LOCK('g', 0)|SLEEP(0)|'é列😀'|COUNT(*)|INSERT('abc', 1, 1, 'x')".split(
    "|",
  ),
  ..."REPLACE('a', 'b', 'c')|CASE 1 WHEN 1 THEN 2 END|1 IN (1, 2)|a->'$.x'|CAST(1 AS CHAR)|'/*'|'*/'|'-- '|'#'|DATE '2026-01-01'".split(
    "|",
  ),
];

/** Texts that different lexers may read differently. */
const noise = [
  ..."'|\"|`|\\|''|\\'|/*|*/|/**/|/* ' */|/*+ */|/*+ BKA(t) */|/*!|/*!99999|/*!50000|/*M!|/*M!100100|/*T!|*//*|/*/|--|-- |--\t|---|#|##".split(
    "|",
  ),
  ..."$|$$|$a$|@|@@|@'|@`|x'|b'|N'|_utf8|_latin1'|0x|1e|.|..|:|:=|,|(|)|;|;;|{|}|=|<|>|!|&&|||^|~|%|?|\\N|\\0|\\n|é|ÿ".split(
    "|",
  ),
  ...[
    "\n",
    "\r",
    "\r\n",
    "\t",
    "\v",
    "\f",
    "\0",
    "\x01",
    "\x1a",
    "\x7f",
    "\u00a0",
    "\u2028",
    "\ufeff",
    " ",
    "  ",
  ],
  ...[
    "-- \n",
    "--\n",
    "--\x01\n",
    "-- \0\n",
    "#\n",
    "# '\n",
    "-- '\n",
    "--'\n",
    "/*'*/",
    '/*"*/',
    "/*`*/",
    "/*--*/",
    "/*\n*/",
  ],
  ...[
    "'--",
    "'#\n",
    "'/*",
    "\\'",
    '\\"',
    "\\`",
    "''''",
    "'\\'",
    "'\\\\'",
    "$$'$$",
    "1$$'",
    "0x1",
    "1.0",
    "1e1",
  ],
];

/**
 * Pairs that may hide the harm between them from a reader who does not know comments and quotes as a server
 * does.
 */
const hidings = [
  ["/*!", "*/"],
  ["/*!50000 ", "*/"],
  ["/*!99999 ", "*/"],
  ["/*M!", "*/"],
  ["/*M!100100 ", "*/"],
  ["/*T!", "*/"],
  ["/* /* */", "/* */"],
  ["/* ' */", "/* ' */"],
  ["# '\n", "# '"],
  ["#\n", "#"],
  ["-- '\n", "-- '"],
  ["-- x\n", ""],
  ["--'\n", "--'"],
  [", '\\'' ", " -- '"],
  [', "\\"" ', ' -- "'],
  [", '\\\\' ", " -- '"],
  [", `\\` ", " -- `"],
  [", $$'$$ ", " -- '"],
  [", _gbk'x\\\\' ", " -- '"],
] as const;

const joints = [" ", " ", " ", " ", "\n", "\t", "\v", "\f", "/**/", "/* x */", " -- x\n", "#x\n", ""];

export class Grammar {
  readonly #random: Random;
  readonly #values: readonly string[];
  readonly #outfile: string;

  constructor(random: Random, { sequences, outfile }: Dialect) {
    this.#random = random;
    this.#values = sequences ? [...values, ...advancing] : values;
    this.#outfile = outfile;
  }

  /** @returns the next statement, of any kind */
  statement(): string {
    let sql = this.#grown(2);
    if (this.#chance(0.6)) sql = this.#disguised(sql);
    for (let n = this.#below(3); n > 0; n--) sql = this.#spoiled(sql);
    return sql;
  }

  #grown(depth: number): string {
    switch (this.#below(12)) {
      case 0:
        return this.#one(whole);
      case 1:
        return this.#join(
          "EXPLAIN",
          this.#one(["", "ANALYZE", "FORMAT=JSON", "EXTENDED"]),
          this.#inner(depth),
        );
      case 2:
        return this.#join(this.#one(["ANALYZE", "DESCRIBE", "DESC"]), this.#inner(depth));
      case 3:
        return this.#join(
          this.#one([
            "SHOW TABLES",
            "SHOW CREATE TABLE t",
            "SHOW COLUMNS FROM t",
            "DESCRIBE t",
            "SHOW WARNINGS",
            "SHOW TABLE STATUS",
            "SHOW FULL COLUMNS FROM t",
            "SHOW INDEX FROM t",
            "SHOW VARIABLES LIKE 'sql_mode'",
            "SHOW CREATE DATABASE guard_fuzz",
          ]),
        );
      default:
        return this.#query(depth);
    }
  }

  #inner(depth: number): string {
    return this.#chance(0.5) ? this.#one(whole) : this.#query(depth);
  }

  #query(depth: number): string {
    const inner = () => (depth > 0 ? this.#query(depth - 1) : "SELECT 1");
    switch (this.#below(9)) {
      case 0:
        return this.#join("WITH x AS (", this.#chance(0.1) ? this.#one(whole) : inner(), ")", inner());
      case 1:
        return this.#join("(", inner(), ")", this.#one(["UNION", "UNION ALL", "EXCEPT"]), "(", inner(), ")");
      case 2:
        return this.#join("TABLE t", this.#one(["", "LIMIT 1", "ORDER BY a"]));
      case 3:
        return this.#join("VALUES", this.#one(["ROW(1)", "(1)", "ROW(1, 2), ROW(3, 4)"]));
      case 4:
        return this.#join("SELECT * FROM (", inner(), ") AS y");
      default:
        return this.#select();
    }
  }

  #select(): string {
    const items = Array.from({ length: 1 + this.#below(3) }, () => this.#one(this.#values)).join(
      this.#one([",", " , "]),
    );
    const tail = [
      "",
      "WHERE a = 1",
      "WHERE b = 'x'",
      "ORDER BY a",
      "GROUP BY a, b",
      "LIMIT 2",
      "FOR UPDATE",
      "PROCEDURE ANALYSE()",
    ];
    return this.#join("SELECT", items, this.#one(["FROM t", "FROM t", "FROM t, u", ""]), this.#one(tail));
  }

  /** Puts a harm where some readers may not see it. */
  #disguised(sql: string): string {
    const [before, after] = this.#chance(0.5) ? this.#one(hidings) : [this.#noises(), this.#noises()];
    const harm = this.#one(harms)
      .replace("OUTFILE 'x'", () => `OUTFILE '${this.#outfile}'`)
      .replaceAll(" ", () => this.#one(joints) || " ");
    const whole = `${before}${this.#one(joints)}${harm}${this.#one(joints)}${after}`;
    if (this.#chance(0.7)) return `${sql}${this.#one(joints)}${whole}`;
    const at = this.#below(sql.length + 1);
    return `${sql.slice(0, at)}${whole}${sql.slice(at)}`;
  }

  #noises(): string {
    return Array.from({ length: this.#below(3) }, () => this.#one(noise)).join(this.#one(["", " "]));
  }

  #spoiled(sql: string): string {
    const at = this.#below(sql.length + 1);
    const to = at + this.#below(8);
    switch (this.#below(5)) {
      case 0:
        return sql.slice(0, at) + sql.slice(to);
      case 1:
        return sql.slice(0, to) + sql.slice(at);
      case 2:
        return sql.replace(" ", this.#one(joints));
      case 3:
        return this.#chance(0.5)
          ? sql.toLowerCase()
          : sql.replace(/[A-Z]/g, (c) => (this.#chance(0.5) ? c : c.toLowerCase()));
      default:
        return sql.slice(0, at) + this.#one(noise) + sql.slice(at);
    }
  }

  #join(...parts: string[]): string {
    return parts
      .filter((part) => part !== "")
      .reduce((text, part) => `${text}${this.#one(joints) || " "}${part}`);
  }

  #one<T>(items: readonly T[]): T {
    return items[this.#below(items.length)] as T;
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  #chance(share: number): boolean {
    return this.#random() < share;
  }
}
