import type { Connection, ServerError } from "./driver.ts";
import type { RowSink, Statement } from "./executor.ts";
import type { Outcome } from "./outcome.ts";
import { boundType } from "./parameters.ts";
import { Pipeline } from "./pipeline.ts";
import type { PreparedStatements, Wanted } from "./prepared.ts";
import { wantedKey } from "./prepared.ts";
import { prepare, query } from "./steps.ts";

/** Several statements that are sent without waiting for an answer between them. */

/** A statement and who takes its rows. */
export interface Run {
  statement: Statement;
  sink: RowSink;
  /** Asks for its warnings in the same write. */
  warned?: boolean;
}

/** What goes out in one write: statements, between commands of the gateway's own that have no rows. */
export interface Burst {
  before: readonly string[];
  runs: readonly Run[];
  after: readonly string[];
}

/**
 * What the server says to a burst, part by part: to a part that fails the next one is executed all the same. None is
 * forgotten when another one is not waited for.
 */
export interface BurstAnswers {
  /** @throws ServerError */
  before: Promise<void>;
  /** One for each statement. @throws TidegateError of the server's making */
  outcomes: readonly Promise<Outcome>[];
  /** @throws ServerError */
  after: Promise<void>;
}

/**
 * @param all settled when all answers are there, or rejected with what every missing one is to fail with
 * @param answers undefined when nothing could be sent, and `all` says why
 */
export function answersUnless(
  all: Promise<void>,
  { runs }: Burst,
  answers: BurstAnswers | undefined,
): BurstAnswers {
  const failing = all.then(() => new Promise<never>(() => {}));
  const unless = <T>(answer: Promise<T> = failing): Promise<T> => {
    const raced = Promise.race([answer, failing]);
    raced.catch(() => {});
    return raced;
  };
  return {
    before: unless(answers?.before),
    outcomes: runs.map((_, index) => unless(answers?.outcomes[index])),
    after: unless(answers?.after),
  };
}

/** @returns what of a statement has to be prepared before it can be in a burst */
export function wantedOf({ sql, values }: Pick<Statement, "sql" | "values">): Wanted {
  return { sql, types: values.map(boundType) };
}

/** What is to be prepared for a burst. */
export interface Preparation {
  /** For the burst that comes next. */
  wanted: readonly Wanted[];
  /** For later ones, in the same round trip; with the others `preparedStatementsPerConnection` at most. */
  ahead: readonly Wanted[];
  /** Commands of the gateway's own, sent before it. */
  before: readonly string[];
}

/**
 * Has the server prepare what is not prepared yet, in one round trip; where nothing of `wanted` is missing nothing is
 * sent.
 * @returns whether anything was sent, and for each of `wanted`, then of `ahead`, why the server refused it
 * @throws ServerError for what is in `before`
 */
export async function prepareAll(
  connection: Connection,
  prepared: PreparedStatements,
  { wanted, ahead, before }: Preparation,
): Promise<{ sent: boolean; refusals: (ServerError | undefined)[] }> {
  const all = [...wanted, ...ahead];
  const missing = missingOf(prepared, all);
  if (!wanted.some((one) => missing.has(wantedKey(one)))) return { sent: false, refusals: [] };
  const first = before.map((sql) => query(connection, sql));
  const steps = [...missing].map(([key, one]) => ({ key, one, step: prepare(connection, one.sql) }));
  const commands = [...first, ...steps.map(({ step }) => step)].map(({ command }) => command);
  connection.addCommand(new Pipeline(commands));
  for (const { reply } of first) await reply;
  const refused = new Map<string, ServerError>();
  for (const { key, one, step } of steps) {
    await step.reply.then(
      (made) => {
        for (const evicted of prepared.add(one.sql, made)) evicted.close();
        prepared.claim(one);
      },
      (cause: ServerError) => refused.set(key, cause),
    );
  }
  return { sent: true, refusals: all.map((one) => refused.get(wantedKey(one))) };
}

/** Those of known types come first: what was prepared and never executed serves one of them, or else another one. */
function missingOf(prepared: PreparedStatements, all: readonly Wanted[]): Map<string, Wanted> {
  const known = all.filter(({ types }) => types !== undefined);
  const rest = all.filter(({ types }) => types === undefined);
  const missing = new Map([...known, ...rest].map((one) => [wantedKey(one), one]));
  for (const [key, one] of missing) if (prepared.claim(one)) missing.delete(key);
  return missing;
}
