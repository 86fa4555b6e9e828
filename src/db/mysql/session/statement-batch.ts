import { TidegateError } from "../../../errors.ts";
import { limits } from "../../../limits.ts";
import type { Statement } from "../../contract/statement.ts";
import { Pipeline } from "../driver/command-pipeline.ts";
import type { Step } from "../driver/commands.ts";
import { prepare, query } from "../driver/commands.ts";
import type { Connection, ServerError } from "../driver/driver.ts";
import type { PreparedStatements, Wanted } from "../driver/prepared-cache.ts";
import { wantedKey } from "../driver/prepared-cache.ts";
import { demandFits } from "../values/packet-size.ts";
import type { RowSink } from "./row-sink.ts";
import type { StatementResult } from "./statement-result.ts";
import { withoutPreparing } from "./unprepared.ts";

/** Statements that are sent without waiting for the answers between them. */

/** A statement and the sink of its rows. */
export interface Run {
  statement: Statement;
  sink: RowSink;
  /** Reads its warnings in the same write. */
  warned?: boolean;
}

/** One write: statements, between commands of the gateway without rows. */
export interface Burst {
  before: readonly string[];
  runs: readonly Run[];
  after: readonly string[];
}

/**
 * The server's answers to a burst, part by part. After a failed part the server executes the next one. All
 * promises are handled, so none causes an unhandled rejection.
 */
export interface BurstAnswers {
  /** @throws ServerError */
  before: Promise<void>;
  /** One for each statement. @throws TidegateError for the server's error */
  outcomes: readonly Promise<StatementResult>[];
  /** @throws ServerError */
  after: Promise<void>;
}

/** @returns a promise of all answers. @throws ServerError of the first refused step */
export function replies(steps: readonly Step<unknown>[]): Promise<void> {
  const answered = Promise.all(steps.map(({ reply }) => reply)).then(() => {});
  answered.catch(() => {});
  return answered;
}

/**
 * @param all resolves when all answers are there. It rejects with the error for every missing answer
 * @param answers undefined if nothing could be sent; `all` then has the reason
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

/** The statements to prepare for a burst. */
export interface Preparation {
  /** The statements of the next burst. */
  wanted: readonly Wanted[];
  /**
   * Statements of later bursts, in the same round trip. All together are at most
   * `preparedStatementsPerConnection`.
   */
  ahead: readonly Wanted[];
  /** Commands of the gateway, sent first. */
  before: readonly string[];
}

/** The result of a preparation. */
export interface Preparedness {
  /** Whether anything was sent, and so `before` too. */
  sent: boolean;
  /** How many of `wanted`, from the first, can be executed together. More cannot be prepared at once. */
  ready: number;
  /** The server's refusal for each of `wanted`, then of `ahead`. */
  refusals: (ServerError | undefined)[];
}

/**
 * Prepares the missing statements in one round trip. If nothing of `wanted` is missing, nothing is sent.
 * Another round trip is needed if the reply shows that values for one text must be bound as different types.
 * @throws ServerError for a command in `before`
 */
export async function prepareAll(
  connection: Connection,
  prepared: PreparedStatements,
  { wanted, ahead, before }: Preparation,
): Promise<Preparedness> {
  const all = [...wanted, ...ahead];
  const refused = new Map<string, ServerError>();
  const isMissing = (one: Wanted) => !refused.has(one.sql);
  let first = before;
  for (let sent = false; ; sent = true) {
    const { ready, missing } = missingOf(prepared, wanted, ahead);
    const due = missing.filter(isMissing);
    if (!due.some(({ isWanted }) => isWanted))
      return { sent, ready, refusals: all.map(({ sql }) => refused.get(sql)) };
    await prepareThese(connection, prepared, due, { first, refused });
    first = [];
  }
}

async function prepareThese(
  connection: Connection,
  prepared: PreparedStatements,
  due: readonly Wanted[],
  { first, refused }: { first: readonly string[]; refused: Map<string, ServerError> },
): Promise<void> {
  const own = first.map((sql) => query(connection, sql));
  const steps = due.map((one) => ({ one, step: prepare(connection, one.sql) }));
  const commands = [...own, ...steps.map(({ step }) => step)].map(({ command }) => command);
  connection.addCommand(new Pipeline(commands));
  for (const { reply } of own) await reply;
  for (const { one, step } of steps) {
    // Unknown values mean that there is at least one parameter.
    const parameters = one.values?.length ?? 1;
    const sendable = step.reply.catch((cause: ServerError) => withoutPreparing(cause, parameters));
    await sendable.then(
      (made) => {
        for (const evicted of prepared.add(one.sql, made)) evicted.close();
        // Claim it: the next `add` must not displace it.
        claim(prepared, one);
      },
      (cause: ServerError) => refused.set(one.sql, cause),
    );
  }
}

/**
 * Finds the statements to prepare. Statements with known values come first, because a prepared but unexecuted
 * statement can serve only one set of types. A value that its placeholder refuses needs no statement: the
 * caller gets the error when its turn comes.
 */
function missingOf(prepared: PreparedStatements, wanted: readonly Wanted[], ahead: readonly Wanted[]) {
  const found = new Map<string, Wanted & { isWanted: boolean }>();
  const find = (one: Wanted, isWanted: boolean): boolean => {
    const typed = typedOf(prepared, one);
    if (typed === undefined) return true;
    const key = wantedKey(typed);
    if (!found.has(key) && found.size >= limits.preparedStatementsPerConnection) return false;
    if (!found.has(key)) found.set(key, { ...typed, isWanted });
    return true;
  };
  const firstWithout = wanted.findIndex((one) => !find(one, true));
  const ready = firstWithout < 0 ? wanted.length : firstWithout;
  if (ready === wanted.length) ahead.every((one) => find(one, false));
  const all = [...found.values()];
  const known = all.filter(({ values }) => values !== undefined);
  const rest = all.filter(({ values }) => values === undefined);
  return { ready, missing: [...known, ...rest].filter((one) => !claim(prepared, one)) };
}

/** @returns undefined for a value that its placeholder refuses, and for a statement too large to send */
function typedOf(prepared: PreparedStatements, { sql, values }: Wanted): Wanted | undefined {
  try {
    if (values === undefined) demandFits(prepared.packetBytes, sql);
    return { sql, values: values && (prepared.typed(sql, values) ?? values) };
  } catch (cause) {
    if (cause instanceof TidegateError) return undefined;
    throw cause;
  }
}

function claim(prepared: PreparedStatements, one: Wanted): boolean {
  const typed = typedOf(prepared, one);
  return typed === undefined || prepared.claim(typed);
}
