import { limits } from "../../../limits.ts";
import type { Statement } from "../../contract/statement.ts";
import { StaleConnectionError } from "./connection-lost.ts";
import type { StatementResult } from "./statement-result.ts";

/** The part of a statement that decides whether it may continue a run. */
export type RunStatement = Pick<Statement, "sql" | "values" | "writable">;

/** What an answer says about its session. With other columns than before, a table may be a view now. */
type RunAnswer = Pick<StatementResult, "warningCount" | "serverStatus" | "columnsChanged">;

const autocommit = 0x0002;
/** No good index, no index, slow: they tell of the statement's plan and nothing of the session. */
const ofThePlan = 0x0010 | 0x0020 | 0x0800;

/** The texts of a run, and when the restore began that verified them. */
export interface VerifiedTexts {
  texts: ReadonlySet<string>;
  /** In milliseconds since 1970. */
  since: number;
}

/**
 * What a session executes between two restores. A *run* is plain SELECTs only: statements that leave nothing
 * in the session and observe nothing of it, as the restore that begins the run has asked the server
 * (docs/explanation/security.md, "What a plain SELECT is"). It is bounded, because what the server said may become wrong:
 * a right is revoked, a view replaces a table.
 */
export class PlainRun {
  readonly #verified: VerifiedTexts;
  #statements = 0;
  #parameterBytes = 0;
  /** Something else ran, or something may be left: only a restore may follow. */
  #isOver = false;

  constructor(verified: VerifiedTexts = { texts: new Set(), since: 0 }) {
    this.#verified = verified;
  }

  /** Whether it has begun. The session then serves only statements that continue it, until a restore. */
  get isUsed(): boolean {
    return this.#statements > 0;
  }

  /**
   * Whether another statement may continue it.
   * @param now milliseconds since 1970. A clock that was set back ends the run
   */
  isOpen(now: number): boolean {
    const age = now - this.#verified.since;
    const { runMs, runStatements, runParameterBytes } = limits;
    const isInTime = age >= 0 && age < runMs;
    const hasRoom = this.#statements < runStatements && this.#parameterBytes < runParameterBytes;
    return !this.#isOver && isInTime && hasRoom;
  }

  admits(statement: RunStatement, now: number): boolean {
    return this.#bytesIfAdmitted(statement, now) !== undefined;
  }

  #bytesIfAdmitted({ sql, values, writable }: RunStatement, now: number): number | undefined {
    if (writable || !this.#verified.texts.has(sql) || !this.isOpen(now)) return undefined;
    const bytes = bytesOf(values);
    return this.#parameterBytes + bytes <= limits.runParameterBytes ? bytes : undefined;
  }

  /**
   * A statement is about to be executed.
   * @returns whether it belongs to the run. If not, the run is over
   * @throws StaleConnectionError if it does not, and others have used the run: it would meet a session that is
   *   not restored. Nothing is sent, so it may go to another session: the time may be over since the session was
   *   lent
   */
  enter(statement: RunStatement, now: number): boolean {
    const bytes = this.#bytesIfAdmitted(statement, now);
    if (bytes === undefined) {
      this.leave();
      return false;
    }
    this.#statements += 1;
    this.#parameterBytes += bytes;
    return true;
  }

  /** Other work is about to be done. @throws as `enter` */
  leave(): void {
    this.end();
    if (!this.isUsed) return;
    const retryAfter = limits.retryAfterSeconds;
    throw new StaleConnectionError("connection_lost", { retryAfter }, "the session's run was over");
  }

  /** A statement of the run was answered. */
  answered({ warningCount, serverStatus, columnsChanged }: RunAnswer): void {
    const isAtRest = (serverStatus & ~ofThePlan) === autocommit;
    if (warningCount !== 0 || columnsChanged || !isAtRest) this.end();
  }

  end(): void {
    this.#isOver = true;
  }
}

/** Counts a binary value by its Base64. */
function bytesOf(values: Statement["values"]): number {
  let bytes = 0;
  for (const { value } of values) if (value !== null) bytes += Buffer.byteLength(String(value));
  return bytes;
}
