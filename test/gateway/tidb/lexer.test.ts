import { randomBytes } from "node:crypto";
import fc from "fast-check";
import type { Connection, RowDataPacket } from "mysql2/promise";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import { StatementError } from "../../../src/sql/errors.ts";
import { lex } from "../../../src/sql/lexer.ts";
import type { Tokens } from "../../../src/sql/tokens.ts";
import { randomOf } from "../../servers/adversary/mutator.ts";
import { sqlish } from "../../statements/arbitrary.ts";
import { accepted, refused } from "../../statements/statement-table.ts";
import { Grammar } from "../sql/guard-grammar.ts";
import { databaseServer } from "../support/harness.ts";

/**
 * Compares the guard's lexer with TiDB's own. If a text with separated tokens has the same digest on TiDB,
 * both lexers found the same tokens.
 */

const seed = Number(process.env.TIDEGATE_FUZZ_SEED ?? randomBytes(4).readUInt32LE());
const count = 3_000;

let administrator: Connection;
beforeAll(async () => {
  administrator = await connectAdministrator(databaseServer());
});
afterAll(() => administrator?.end());

interface Text {
  source: string;
  tokens: Tokens;
}

async function digests(texts: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (let at = 0; at < texts.length; at += 100) {
    const some = texts.slice(at, at + 100);
    const questions = some.map((_, i) => `TIDB_ENCODE_SQL_DIGEST(?) AS d${i}`).join(", ");
    const [rows] = await administrator.query<RowDataPacket[]>(`SELECT ${questions}`, some);
    found.push(...some.map((_, i) => String(rows[0]?.[`d${i}`])));
  }
  return found;
}

/**
 * @returns the tokens of a text without a closing semicolon: once unchanged, and once without comments,
 * with a space between tokens that touch
 */
function bothWays({ source, tokens }: Text): { whole: string; apart: string } {
  const end = tokens.kind(tokens.length - 1) === "semicolon" ? tokens.length - 1 : tokens.length;
  let apart = "";
  for (let at = 0; at < end; at++) {
    const before = at > 0 ? tokens.end(at - 1) : 0;
    const gap = spaceOnly(source.slice(before, tokens.start(at)), tokens, before);
    apart += `${gap === "" && at > 0 && !belong(tokens, at) ? " " : gap}${tokens.text(at)}`;
  }
  return { whole: source.slice(0, tokens.end(end - 1)), apart };
}

/** The guard removes comments in the same way. */
function spaceOnly(between: string, tokens: Tokens, offset: number): string {
  let text = between;
  for (const { start, end } of tokens.gaps.toReversed())
    if (start >= offset && end <= offset + between.length)
      text = `${text.slice(0, start - offset)} ${text.slice(end - offset)}`;
  return text;
}

/**
 * For the guard every operator has one character. `t.5`, @@global.`a` and `COUNT(` keep their meaning only
 * in one piece.
 */
function belong(tokens: Tokens, at: number): boolean {
  return (
    tokens.kind(at) === "operator" ||
    tokens.kind(at - 1) === "operator" ||
    tokens.text(at - 1).endsWith(".") ||
    (tokens.isName(at - 1) && (tokens.kind(at) === "open" || tokens.text(at).startsWith(".")))
  );
}

function lexed(sql: string): Tokens | undefined {
  try {
    return lex(sql);
  } catch (error) {
    if (error instanceof StatementError) return undefined;
    throw error;
  }
}

/**
 * Named parameters exist only in the gateway, which sends `?`. The guard's tokens have no hints. After a
 * dot, also after that of `1.`, TiDB reads a keyword as a name if there is a space between, but not if
 * there is a comment. The guard reads it as the keyword, and the statement is an error.
 */
function isForServers(tokens: Tokens): boolean {
  const other = (_: unknown, at: number) =>
    tokens.kind(at) === "named" || (tokens.kind(at) === "word" && tokens.text(at - 1).endsWith("."));
  // The guard also refuses `--` directly beside a comment.
  const gaps = tokens.gaps.some(({ kind, start }) => kind === "hint" || tokens.source[start - 1] === "-");
  return tokens.length > 1 && !gaps && !Array.from({ length: tokens.length }, other).includes(true);
}

test(`what the lexer accepts has the same tokens for TiDB (seed ${seed})`, async () => {
  const grammar = new Grammar(randomOf(seed), { sequences: true, outfile: "/x" });
  const texts = [
    ...[...accepted.map(([, , sql]) => sql), ...refused.map(([, sql]) => sql)],
    ...Array.from({ length: count }, () => grammar.statement()),
    ...fc.sample(sqlish, { numRuns: count, seed }),
  ].map((source) => ({ source, tokens: lexed(source) }));
  const own = texts.flatMap(({ source, tokens }) => {
    if (tokens === undefined || !isForServers(tokens)) return [];
    return [bothWays({ source, tokens })];
  });
  expect(own.length).toBeGreaterThan(count / 2);
  const ofWhole = await digests(own.map(({ whole }) => whole));
  const ofApart = await digests(own.map(({ apart }) => apart));
  expect(own.filter((_, i) => ofWhole[i] !== ofApart[i])).toEqual([]);
});

test("the digest tells texts apart that a mistaken lexer takes for one", async () => {
  const pairs: [string, string][] = [
    ["SELECT 1 -- x\n INTO OUTFILE 'a'", "SELECT 1"],
    ["SELECT 1 /* /* */ , 2", "SELECT 1"],
    ["SELECT '\\'; DROP TABLE t; -- '", "SELECT 'a'; DROP TABLE t"],
    ["SELECT 1 /*! , b */", "SELECT 1"],
    ["SELECT 1 --x\n, b", "SELECT 1 , b"],
    // Refused, because TiDB reads 0 and x1.
    ["SELECT 0x1.a", "SELECT 0x1 .a"],
  ];
  const [left, right] = [
    await digests(pairs.map(([one]) => one)),
    await digests(pairs.map(([, two]) => two)),
  ];
  expect(pairs.filter((_, i) => left[i] === right[i])).toEqual([]);
});
