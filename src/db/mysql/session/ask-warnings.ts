import type { Statement } from "../../contract/statement.ts";
import type { Row, Step } from "../driver/commands.ts";
import { query } from "../driver/commands.ts";
import type { Connection } from "../driver/driver.ts";
import type { Dialect } from "../engines/dialect.ts";
import type { StatementResult } from "./statement-result.ts";
import { readWarnings } from "./warnings.ts";

/** Reads the warnings of statements on one connection. */
export class WarningQuestions {
  readonly #connection: Connection;
  readonly #dialect: Dialect;
  #asked = 0;

  constructor(connection: Connection, dialect: Dialect) {
    this.#connection = connection;
    this.#dialect = dialect;
  }

  /** The query for the warnings of the statement before it, to be sent with others. */
  next(): Step<Row[]> {
    return query(this.#connection, this.#dialect.warningsQuestion(this.#asked++));
  }

  /**
   * @param statement with its bound values
   * @param asked the answer to the query for its warnings; without it, the query is sent now
   * @returns the outcome with its warnings. They stay unread if the server refuses to send them
   */
  async hear(
    outcome: StatementResult,
    { author, values }: Pick<Statement, "author" | "values">,
    asked: Promise<Row[]> | undefined,
  ): Promise<StatementResult> {
    // If a statement has no warnings, the server would send those of an earlier statement.
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
