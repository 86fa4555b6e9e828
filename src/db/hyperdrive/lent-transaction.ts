import type { Account } from "../../config/config.ts";
import type { Row } from "../mysql/driver/commands.ts";
import type { Connection, ServerError } from "../mysql/driver/driver.ts";
import { command } from "../mysql/driver/driver.ts";
import type { Dialect } from "../mysql/engines/dialect.ts";
import { settingsRefused } from "../mysql/engines/errors.ts";
import { privilegeQuery } from "../mysql/engines/privileges.ts";
import { beginTransaction, transactionProof, transactionState } from "../mysql/engines/transaction.ts";
import { preparationError } from "./errors.ts";

/** The server's answers in a transaction that has just begun. */
export interface Begun {
  proof: Row[];
  /** The answer to `privilegeQuery`, if only privileges keep the account from writing. */
  privileges: Row[] | undefined;
}

/**
 * Begins a transaction on a connection that is lent for its duration, sets the account's state and asks for
 * the identity.
 * @throws TidegateError if the transaction could not begin
 */
export async function beginLent(
  connection: Connection,
  dialect: Dialect,
  account: Account,
  { writable, deadlineMs }: { writable: boolean; deadlineMs: number },
): Promise<Begun> {
  const ask = async (sql: string) => (await command(connection, sql)) as Row[];
  try {
    await command(connection, beginTransaction(dialect, writable));
    // Other failures of SET are ignored: the server's own values may be right, and the proof decides.
    const state = transactionState(dialect, account, deadlineMs);
    await command(connection, state).catch((cause: ServerError) => {
      if (settingsRefused.includes(cause.errno ?? 0)) throw cause;
    });
    const proof = await ask(transactionProof(dialect, account));
    return { proof, privileges: account.readsByPrivilege ? await ask(privilegeQuery) : undefined };
  } catch (cause) {
    throw preparationError(cause as ServerError);
  }
}
