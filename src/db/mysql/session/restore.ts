import type { Statement } from "../../contract/statement.ts";
import { Pipeline } from "../driver/command-pipeline.ts";
import { prepare, query, reset, type Step } from "../driver/commands.ts";
import type { Connection, ServerError } from "../driver/driver.ts";
import type { PreparedStatements } from "../driver/prepared-cache.ts";
import type { Dialect } from "../engines/dialect.ts";
import type { Identity } from "../engines/identity.ts";
import { isSameConnection, isSameIdentity } from "../engines/identity.ts";
import { proofQuery } from "../engines/proof.ts";
import type { SessionSettings } from "../engines/session-state.ts";
import { restoreStatements, setRole } from "../engines/session-state.ts";
import { fits } from "../values/packet-size.ts";
import { identityOf } from "./login.ts";

/** A statement to prepare ahead. */
export type HotStatement = Pick<Statement, "sql" | "writable">;

/** A connection, and what it must be like again. */
export interface Restorable {
  connection: Connection;
  dialect: Dialect;
  database: string;
  settings: SessionSettings;
  /** As the latest proof read it. */
  identity: Identity;
  prepared: PreparedStatements;
}

export interface Restored {
  /** The same identity; with a router between, on another connection to the server. */
  identity: Identity;
  /** The hot statements that cannot be prepared ahead: the server refuses them, or runs something of one. */
  refused: string[];
}

/**
 * Makes the session as it was after login, for the next caller, and proves that it is the same identity
 * still, in one round trip. COM_RESET_CONNECTION drops variables, temporary tables, locks, transactions and
 * prepared statements; what it keeps is in `Dialect.restoring`, but for the role, which MySQL and TiDB are told only where
 * the proof shows another one: a procedure has left it, or the server (TiDB) has reset it. The collation is the one that
 * the login has found.
 * @param committing settled with the answer to a COMMIT that goes in the same write, before it
 * @param hot statements to prepare ahead; where preparing one has run something, all is done once more without them
 * @throws when any other part fails: the connection must then be destroyed
 */
export async function restore(
  session: Restorable,
  hot: readonly HotStatement[],
  committing?: PromiseWithResolvers<void>,
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
  const proof = text(proofQuery(dialect));
  const commit = committing ? [text("COMMIT")] : [];
  for (const { reply } of commit) reply.then(() => committing?.resolve(), committing?.reject);
  const steps = [...commit, ...first, ...ahead.map(({ step }) => step), ...last, ...ran, proof];
  connection.addCommand(new Pipeline(steps.map(({ command }) => command)));
  for (const step of [...first, ...last]) await step.reply;
  const proven = identityOf(await proof.reply);
  if (dialect.resetChangesPacketLimit) prepared.packetBytes = proven.packetBytes ?? prepared.packetBytes;
  for (const { reply } of ran) {
    const [row] = await reply;
    if (row?.ran === "0") continue;
    const { identity: clean } = await restore(session, []);
    return { identity: clean, refused: hot.map(({ sql }) => sql) };
  }
  const refused: string[] = [];
  for (const { sql, step } of ahead) {
    await step.reply.then(
      (made) => prepared.add(sql, made),
      () => refused.push(sql),
    );
  }
  const same = isSameIdentity(proven, identity) ? proven : await restoreRole(session);
  return { identity: await withStart(session, same), refused };
}

/** One more round trip where a router has given the session another connection, perhaps to another server. */
async function withStart({ connection, dialect, identity }: Restorable, proven: Identity): Promise<Identity> {
  const question = dialect.serverStart;
  if (question === undefined || isSameConnection(proven, identity))
    return { ...proven, serverStart: identity.serverStart };
  const step = query(connection, question);
  connection.addCommand(step.command);
  const [row] = await step.reply;
  return { ...proven, serverStart: Number(row?.started) };
}

/** ER_XAER_RMFAIL: the statement is not allowed while an XA transaction is at work, and the message says in which state. */
const inXaTransaction = 1399;

/**
 * MariaDB's reset leaves a PREPAREd XA transaction attached to the connection, where every statement on an InnoDB table
 * fails afterwards (1031). Before the reset a ROLLBACK tells. Only a procedure can leave one.
 * @returns a step that fails where the connection must not serve again
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
