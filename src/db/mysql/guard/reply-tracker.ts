import { limits } from "../../../limits.ts";
import type { Head } from "./packet-scanner.ts";
import { countIn, markOf, marks, okState, readInteger, statementIn } from "./packet-scanner.ts";
import {
  changesRows,
  columns,
  type Expected,
  formOf,
  isCallersText,
  isDefinition,
  isEof,
  isError,
  ProtocolError,
  rowTooLarge,
  tooManyDefinitions,
  unasked,
} from "./reply-packets.ts";

export { Farewell, ProtocolError } from "./reply-packets.ts";

const commands = {
  quit: 0x01,
  initDb: 0x02,
  query: 0x03,
  ping: 0x0e,
  prepare: 0x16,
  execute: 0x17,
  longData: 0x18,
  close: 0x19,
  resetStatement: 0x1a,
  reset: 0x1f,
} as const;

const moreResults = 0x0008;

/**
 * Follows the replies that the server owes, packet by packet. The driver takes every packet for an answer to
 * its last command, so a surplus packet would answer the next command, another caller's. The tracker refuses
 * a packet that is unasked, out of order, of the wrong form or too large. MySQL manual, "Command Phase"; the
 * driver never negotiates DEPRECATE_EOF.
 */
export class ReplyTracker {
  readonly #owed: Expected[] = [];
  /** The facts about the prepared statements from their PREPARE, by id. */
  readonly #prepared = new Map<number, { columns: number; changes: boolean; mayHaveRows?: true }>();
  #place: "head" | "definitions" | "definitions-end" | "rows" = "head";
  /** The sequence number of the next packet; undefined before a reply's first. */
  #sequence: number | undefined;
  /** How many definitions are still to come, and how many of columns follow those of the parameters. */
  #left = 0;
  #columnsLeft = 0;
  /**
   * Set during parameters' definitions: fewer may come than announced (MySQL, `GROUP_CONCAT(a ORDER BY ?)`).
   */
  #ofParameters = false;
  /** Bytes of the reply that the driver keeps until the reply ends. */
  #bytes = 0;
  #leaving = false;
  /** Whether the last complete reply was PREPARE's. */
  #endedPrepare = false;
  /** How many results of executions have come to their rows. */
  #rowsBegun = 0;

  /** How many commands have no complete answer. With none, the server must be silent. */
  get owed(): number {
    return this.#owed.length;
  }

  /** A number of the result of an execution whose rows are coming; 0 if none are. */
  get rowsId(): number {
    return this.#place === "rows" && this.#owed[0]?.kind === "execute" ? this.#rowsBegun : 0;
  }

  /** Notes a packet of ours. @throws ProtocolError for a command whose answer is unknown here */
  sent(head: Head): void {
    if (head.sequence === 0) {
      const expected = this.#expectedOf(head);
      if (expected) this.#owed.push(expected);
      return;
    }
    // A further packet of a command that does not fit into one.
    const last = this.#owed.at(-1);
    if (last) last.sequence = (head.sequence + 1) & 0xff;
  }

  /**
   * How many of the owed commands may change something. The gateway's questions, such as SHOW WARNINGS, do
   * not.
   */
  get owedWork(): number {
    return this.#owed.filter(({ kind, form }) => kind !== "query" || form !== "rows").length;
  }

  #expectedOf(head: Head): Expected | undefined {
    const plain = { kind: "plain", form: "ok", several: false, id: 0, changes: false, sequence: 1 } as const;
    const id = () => readInteger(head.bytes, head.at + 1, 4);
    switch (head.bytes[head.at]) {
      case commands.quit:
        this.#leaving = true;
        return undefined;
      case commands.close:
        this.#prepared.delete(id());
        return undefined;
      case commands.longData:
        return undefined;
      case commands.reset:
        return { ...plain, kind: "reset" };
      case commands.initDb:
      case commands.ping:
      case commands.resetStatement:
        return { ...plain };
      case commands.query: {
        const text = statementIn(head);
        if (isCallersText(text)) return { ...plain, kind: "text", form: "either" };
        return { ...plain, kind: "query", form: formOf(text) };
      }
      case commands.prepare:
        return { ...plain, kind: "prepare", changes: changesRows(statementIn(head)) };
      case commands.execute:
        return { ...plain, kind: "execute", id: id() };
      default:
        throw new ProtocolError("a command that the gateway does not use");
    }
  }

  /**
   * Marks a prepared change with RETURNING, which its first word does not show. MariaDB announces no columns
   * for it, and answers with rows, or with an OK if it foresees none (WHERE 1 = 0, LIMIT 0).
   */
  allowRows(id: number): void {
    const prepared = this.#prepared.get(id);
    if (prepared) prepared.mayHaveRows = true;
  }

  /** A statement with columns answers with rows. A change of rows without columns answers with an OK. */
  #answerOf(id: number): Pick<Expected, "form" | "several"> {
    const prepared = this.#prepared.get(id);
    if (prepared?.mayHaveRows) return { form: "either", several: false };
    if (prepared && prepared.columns > 0) return { form: "rows", several: false };
    if (prepared?.changes) return { form: "ok", several: false };
    return { form: "either", several: true };
  }

  /** Checks a packet of the server. @throws ProtocolError if the packet must not reach the driver */
  received(head: Head): void {
    if (this.#leaving) return;
    const expected = this.#owed[0];
    if (!expected) throw this.#endedPrepare && isDefinition(head) ? tooManyDefinitions() : unasked(head);
    // Decided here, because the statement may have been prepared in the same write.
    if (this.#sequence === undefined && expected.kind === "execute")
      Object.assign(expected, this.#answerOf(expected.id));
    const due = this.#sequence ?? expected.sequence;
    if (head.sequence !== due) throw this.#misplaced(head, due);
    this.#sequence = (due + 1) & 0xff;
    this.#measure(head, expected);
    if (isError(head)) this.#end();
    else if (this.#place === "definitions" && !(this.#ofParameters && isEof(head))) this.#definition(head);
    else if (this.#place.startsWith("definitions")) this.#definitionsEnd(head, expected);
    else if (this.#place === "rows") this.#row(head, expected);
    else if (expected.kind === "prepare") this.#preparedHead(head, expected);
    else if (markOf(head) === marks.ok) this.#ok(head, expected);
    else this.#resultHead(head, expected);
  }

  /** Rows are passed on as they come, except those for our own commands. */
  #measure(head: Head, { kind }: Expected): void {
    if (this.#place !== "rows" || kind === "query") this.#bytes += head.length;
    if (kind === "query" && this.#bytes > limits.commandReplyBytes)
      throw new ProtocolError("too much in answer to the gateway's own command");
    if (head.length > limits.rowBytes || this.#bytes > limits.rowBytes) throw rowTooLarge();
  }

  #ok(head: Head, expected: Expected): void {
    const state = okState(head);
    if (state === undefined) throw new ProtocolError("an OK that is cut off");
    if (expected.form === "rows") throw new ProtocolError("an OK came where rows belong");
    this.#resultEnd(state, expected);
  }

  /** PREPARE's count of definitions wraps after 65,535. Then surplus definitions follow its announced end. */
  #misplaced(head: Head, due: number): ProtocolError {
    const isSurplus = this.#sequence === undefined && this.#endedPrepare && isDefinition(head);
    if (isSurplus) return tooManyDefinitions();
    return new ProtocolError(`packet ${head.sequence} came where ${due} belongs`);
  }

  #resultHead(head: Head, { form, kind }: Expected): void {
    if (markOf(head) === marks.localInfile)
      throw new ProtocolError("the server asks for a file (LOCAL INFILE)");
    if (form === "ok") throw new ProtocolError("a result came where an OK belongs");
    // Without announced columns a larger limit applies: the result is read and then refused.
    const most = form === "rows" || kind === "query" ? limits.columns : limits.readColumns;
    this.#left = columns(countIn(head), most);
    this.#place = "definitions";
  }

  /** COM_STMT_PREPARE_OK: the mark, the id, the numbers of columns and parameters, and three bytes. */
  #preparedHead(head: Head, { changes }: Expected): void {
    if (markOf(head) !== marks.ok || head.length !== 12) throw new ProtocolError("no answer to PREPARE");
    const found = readInteger(head.bytes, head.at + 5, 2);
    const parameters = readInteger(head.bytes, head.at + 7, 2);
    this.#prepared.set(readInteger(head.bytes, head.at + 1, 4), { columns: found, changes });
    this.#left = parameters || found;
    this.#columnsLeft = parameters > 0 ? found : 0;
    this.#ofParameters = parameters > 0;
    if (this.#left > 0) this.#place = "definitions";
    else this.#end();
  }

  #definition(head: Head): void {
    if (!isDefinition(head))
      throw new ProtocolError("something else came where a column's definition belongs");
    this.#left -= 1;
    if (this.#left === 0) this.#place = "definitions-end";
  }

  #definitionsEnd(head: Head, { kind }: Expected): void {
    if (!isEof(head)) {
      if (kind === "prepare" && isDefinition(head)) throw tooManyDefinitions();
      throw new ProtocolError("more columns than were announced");
    }
    this.#left = this.#columnsLeft;
    this.#columnsLeft = 0;
    this.#ofParameters = false;
    if (this.#left > 0) this.#place = "definitions";
    else if (kind === "prepare") this.#end();
    else {
      this.#place = "rows";
      this.#rowsBegun += 1;
    }
  }

  #row(head: Head, expected: Expected): void {
    if (isEof(head)) this.#resultEnd(readInteger(head.bytes, head.at + 3, 2), expected);
    // A row of the text protocol begins with its first value, so it has no mark to check.
    else if (expected.kind === "execute" && markOf(head) !== marks.ok)
      throw new ProtocolError("something else came where a row belongs");
  }

  #resultEnd(state: number, expected: Expected): void {
    if ((state & moreResults) === 0) {
      this.#end();
    } else {
      if (!expected.several) throw new ProtocolError("a second result was announced");
      this.#place = "head";
      this.#bytes = 0;
    }
  }

  #end(): void {
    const kind = this.#owed.shift()?.kind;
    if (kind === "reset") this.#prepared.clear();
    this.#endedPrepare = kind === "prepare";
    this.#place = "head";
    this.#ofParameters = false;
    this.#sequence = undefined;
    this.#bytes = 0;
  }
}
