import type { Statement } from "../../contract/statement.ts";
import { Pipeline } from "../driver/command-pipeline.ts";
import { prepare, query, reset, type Step } from "../driver/commands.ts";
import type { Connection, ServerError } from "../driver/driver.ts";
import type { PreparedStatements } from "../driver/prepared-cache.ts";
import type { Dialect } from "../engines/dialect.ts";
import type { Identity } from "../engines/identity.ts";
import { isSameConnection, isSameIdentity } from "../engines/identity.ts";
import { verifiedPlain } from "../engines/plain.ts";
import { proofQuery } from "../engines/proof.ts";
import type { SessionSettings } from "../engines/session-state.ts";
import { restoreStatements, setRole } from "../engines/session-state.ts";
import { fits } from "../values/packet-size.ts";
import { identityOf } from "./login.ts";
import type { PlainStatements } from "./plain-statements.ts";

/** A statement to prepare ahead. */
export type HotStatement = Pick<Statement, "sql" | "writable">;

/** A connection and the state that a restore must reach. */
export interface Restorable {
  connection: Connection;
  dialect: Dialect;
  database: string;
  settings: SessionSettings;
  /** From the latest proof. */
  identity: Identity;
  prepared: PreparedStatements;
  /** Undefined if every statement is followed by a restore. */
  plain: PlainStatements | undefined;
}

export interface RestoreOptions {
  /** Settled by the answer to a COMMIT, which goes first in the same write. */
  committing?: PromiseWithResolvers<void> | undefined;
  /** Whether to ask the server which of the hot statements a run may consist of. */
  mayBeginRun?: boolean;
}

export interface Restored {
  /** The same identity. With a router between, it may be on another connection to the server. */
  identity: Identity;
  /**
   * The hot statements that cannot be prepared ahead: the server refuses them, or PREPARE runs a part of one.
   */
  refused: string[];
  /** The texts of the prepared hot statements that are plain, as the server says now: a run may consist of them. */
  plain: ReadonlySet<string>;
}

/**
 * Restores the session to its state after login for the next caller, and proves its identity, in one round
 * trip. COM_RESET_CONNECTION drops variables, temporary tables, locks, transactions and prepared statements.
 * `Dialect.restoring` handles the state that it keeps, except the role: MySQL and TiDB get a SET ROLE only if
 * the proof shows another role, because a procedure has left it or the server (TiDB) has reset it. The
 * collation is the one that the login found.
 * @param hot statements to prepare ahead. If preparing one has run something, all is repeated without them
 * @throws if any other part fails; destroy the connection then
 */
export async function restore(
  session: Restorable,
  hot: readonly HotStatement[],
  { committing, mayBeginRun = false }: RestoreOptions = {},
): Promise<Restored> {
  const { connection, dialect, database, settings, identity, prepared } = session;
  const { collation, currentRole } = identity;
  const probe = prepared.hasCalled ? xaProbe(connection, dialect) : undefined;
  prepared.clear();
  const writes = hot.some(({ writable }) => writable);
  const own = { ...settings, collation };
  const { before, after } = restoreStatements(dialect, database, own, writes, currentRole);
  const text = (sql: string) => query(connection, sql);
  const first = [...(probe ? [probe] : []), reset(connection), ...before.map(text)];
  const sendable = hot.filter(({ sql }) => fits(prepared.packetBytes, sql));
  const ahead = sendable.map(({ sql }) => ({ sql, step: prepare(connection, sql) }));
  const last = after.map(text);
  const ran = ahead.length > 0 && dialect.preparingRan !== undefined ? [text(dialect.preparingRan)] : [];
  // Asked behind the PREPAREs: a view that replaced a table before one of them is seen here.
  const candidates = (mayBeginRun && session.plain?.among(sendable, identity.version)) || [];
  const asked = candidates.length > 0 ? [text(dialect.plainQuestion(candidates))] : [];
  const proof = text(proofQuery(dialect));
  const commit = committing ? [text("COMMIT")] : [];
  for (const { reply } of commit) reply.then(() => committing?.resolve(), committing?.reject);
  const steps = [...commit, ...first, ...ahead.map(({ step }) => step), ...last, ...ran, ...asked, proof];
  connection.addCommand(new Pipeline(steps.map(({ command }) => command)));
  for (const step of [...first, ...last]) await step.reply;
  const proven = identityOf(await proof.reply);
  if (dialect.resetChangesPacketLimit) prepared.packetBytes = proven.packetBytes ?? prepared.packetBytes;
  for (const { reply } of ran) {
    const [row] = await reply;
    if (row?.ran === "0") continue;
    const { identity: clean } = await restore(session, []);
    return { identity: clean, refused: hot.map(({ sql }) => sql), plain: new Set() };
  }
  const refused: string[] = [];
  for (const { sql, step } of ahead) {
    await step.reply.then(
      (made) => prepared.add(sql, made),
      () => refused.push(sql),
    );
  }
  const plain = new Set<string>();
  for (const { reply } of asked) {
    // If the server does not answer the question, nothing is plain.
    const verified = await reply.then((rows) => verifiedPlain(candidates, rows)).catch(() => []);
    for (const [at, { sql }] of candidates.entries())
      if (verified[at] && !refused.includes(sql)) plain.add(sql);
  }
  const isSame = isSameIdentity(proven, identity);
  const same = isSame ? proven : await restoreRole(session);
  // Another role, or behind a router another server, was asked what the names mean.
  const isAnswer = isSame && isSameConnection(proven, identity) && proven.version === identity.version;
  return { identity: await withStart(session, same), refused, plain: isAnswer ? plain : new Set() };
}

/**
 * Reads the server's start again if a router gave the session another connection, perhaps to another server.
 * This takes one more round trip.
 */
async function withStart({ connection, dialect, identity }: Restorable, proven: Identity): Promise<Identity> {
  const question = dialect.serverStart;
  if (question === undefined || isSameConnection(proven, identity))
    return { ...proven, serverStart: identity.serverStart };
  const step = query(connection, question);
  connection.addCommand(step.command);
  const [row] = await step.reply;
  return { ...proven, serverStart: Number(row?.started) };
}

/**
 * ER_XAER_RMFAIL: the statement is not allowed during an XA transaction. The message names the transaction's
 * state.
 */
const inXaTransaction = 1399;

/**
 * Finds a PREPAREd XA transaction with a ROLLBACK before the reset. MariaDB's reset leaves it attached to the
 * connection, and then every statement on an InnoDB table fails (1031). Only a procedure can leave one.
 * @returns a step that fails if the connection must not serve again
 */
function xaProbe(connection: Connection, { resetKeepsXa }: Dialect): Step<unknown> | undefined {
  if (!resetKeepsXa) return undefined;
  const { command, reply } = query(connection, "ROLLBACK");
  const tolerated = reply.catch((error: ServerError) => {
    if (error.errno !== inXaTransaction || !/ (ACTIVE|IDLE) /.test(error.message)) throw error;
  });
  tolerated.catch(() => {});
  return { command, reply: tolerated };
}

async function restoreRole({ connection, dialect, identity }: Restorable): Promise<Identity> {
  const role = query(connection, setRole(dialect, identity.currentRole));
  const proof = query(connection, proofQuery(dialect));
  connection.addCommand(new Pipeline([role.command, proof.command]));
  await role.reply;
  const proven = identityOf(await proof.reply);
  if (!isSameIdentity(proven, identity)) throw new Error("the session is another identity now");
  return proven;
}
