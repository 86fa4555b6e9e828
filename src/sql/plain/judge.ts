import { StatementError } from "../errors.ts";
import { lex } from "../lexer.ts";
import type { PlainSelect } from "./plain-select.ts";
import { PlainReader } from "./reader.ts";
import { isKnownServer, type PlainServer } from "./servers.ts";

/**
 * Judges a text by closed lists of the engine's version: everything else is not plain. It refuses what it does
 * not understand, so a statement that the server would refuse may pass.
 *
 * @param sql as it is sent to the server, with `?`, after the guard has accepted it
 * @returns undefined if the text is not known to be plain
 */
export function judgePlain(sql: string, server: PlainServer): PlainSelect | undefined {
  if (!isKnownServer(server)) return undefined;
  try {
    return new PlainReader(lex(sql), server.engine).read();
  } catch (error) {
    if (error instanceof StatementError) return undefined;
    throw error;
  }
}
