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
  outcomes: readonly Promise<StatementResult>[];
  /** @throws ServerError */
  after: Promise<void>;
}

/** @returns when all are answered. @throws ServerError of the first that was refused */
export function replies(steps: readonly Step<unknown>[]): Promise<void> {
  const answered = Promise.all(steps.map(({ reply }) => reply)).then(() => {});
  answered.catch(() => {});
  return answered;
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

/** What is to be prepared for a burst. */
export interface Preparation {
  /** For the burst that comes next. */
  wanted: readonly Wanted[];
  /** For later ones, in the same round trip; with the others `preparedStatementsPerConnection` at most. */
  ahead: readonly Wanted[];
  /** Commands of the gateway's own, sent before it. */
  before: readonly string[];
}

/** What became of a preparation. */
export interface Preparedness {
  /** Whether anything was sent, and `before` with it. */
  sent: boolean;
  /** How many of `wanted`, from the first, can be executed together: no more may be prepared at once. */
  ready: number;
  /** For each of `wanted`, then of `ahead`, why the server refused it. */
  refusals: (ServerError | undefined)[];
}

/**
 * Has the server prepare what is not prepared yet, in one round trip; where nothing of `wanted` is missing nothing is
 * sent. Another round trip is needed where the server's answer says that values of one text are to be bound as different
 * types.
 * @throws ServerError for what is in `before`
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
    // Where the values are not known yet there are some.
    const parameters = one.values?.length ?? 1;
    const sendable = step.reply.catch((cause: ServerError) => withoutPreparing(cause, parameters));
    await sendable.then(
      (made) => {
        for (const evicted of prepared.add(one.sql, made)) evicted.close();
        // It serves this one: what is added next must not take its place.
        claim(prepared, one);
      },
      (cause: ServerError) => refused.set(one.sql, cause),
    );
  }
}

/**
 * Those of known values come first: what was prepared and never executed serves one of them, or else another one. A
 * value that its placeholder refuses needs nothing: the caller is told when it is its turn.
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

/** @returns undefined for a value that its placeholder refuses, and for what is too large to be sent */
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
