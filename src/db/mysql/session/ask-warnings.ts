import type { Statement } from "../../contract/statement.ts";
import type { Row, Step } from "../driver/commands.ts";
import { query } from "../driver/commands.ts";
import type { Connection } from "../driver/driver.ts";
import type { Dialect } from "../engines/dialect.ts";
import type { StatementResult } from "./statement-result.ts";
import { readWarnings } from "./warnings.ts";

/** Asks one connection for the warnings of its statements. */
export class WarningQuestions {
  readonly #connection: Connection;
  readonly #dialect: Dialect;
  #asked = 0;

  constructor(connection: Connection, dialect: Dialect) {
    this.#connection = connection;
    this.#dialect = dialect;
  }

  /** The question about the statement before it, to be sent with others. */
  next(): Step<Row[]> {
    return query(this.#connection, this.#dialect.warningsQuestion(this.#asked++));
  }

  /**
   * @param statement with its values as they were bound
   * @param asked the answer to the question for its warnings; without one it is asked now
   * @returns the outcome with its warnings, which stay unread where the server refuses to tell them
   */
  async hear(
    outcome: StatementResult,
    { author, values }: Pick<Statement, "author" | "values">,
    asked: Promise<Row[]> | undefined,
  ): Promise<StatementResult> {
    // Without warnings of its own the server tells those of a statement before.
    if (outcome.warningCount === 0) return outcome;
    const rows = await (asked ?? this.#askNow()).catch(() => []);
    const warned = { dialect: this.#dialect, author, values };
    return { ...outcome, ...readWarnings(rows, outcome.warningCount, warned) };
  }

  async #askNow(): Promise<Row[]> {
    const { command, reply } = this.next();
    this.#connection.addCommand(command);
    return await reply;
  }
}
