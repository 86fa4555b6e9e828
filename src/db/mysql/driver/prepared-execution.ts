import type { BoundValue } from "../../../sql/bound-value.ts";
import type { Answer, Execution } from "./answer.ts";
import { moreResults } from "./answer.ts";
import type { BinaryRow } from "./binary-row.ts";
import { ColumnReader } from "./column-definitions.ts";
import type { TextColumns } from "./column-memory.ts";
import type { PipelineConnection, ReadPacket, WrittenPacket } from "./command-pipeline.ts";
import { executePacket } from "./execute-packet.ts";
import { MalformedPacket, PacketReader } from "./length-encoded.ts";

const marks = { ok: 0x00, localInfile: 0xfb, eof: 0xfe, error: 0xff } as const;

const frameBytes = 4;

/** An EOF_Packet is shorter than a row that begins with the same byte. */
const eofBytes = 9;

/**
 * COM_STMT_EXECUTE and its answer (MySQL manual, "COM_STMT_EXECUTE Response"). The driver passes the packets.
 * Each must be of the form that its place demands; otherwise the answer has failed.
 */
export class PreparedExecution implements Execution {
  #packet: WrittenPacket | undefined;
  #answer: Answer | undefined;
  /** For the first result. */
  #memory: TextColumns | undefined;
  #place: "head" | "definitions" | "definitions end" | "rows" | "broken" = "head";
  #columns: ColumnReader | undefined;
  #row: BinaryRow | undefined;

  /**
   * @param connection that the command is for
   * @param id of the prepared statement
   * @param memory of the statement's text, with values of these types
   */
  constructor(
    { takesAttributes }: PipelineConnection,
    { id, values, memory }: { id: number; values: readonly BoundValue[]; memory: TextColumns },
  ) {
    this.#packet = executePacket(id, values, takesAttributes);
    this.#memory = memory;
  }

  listen(answer: Answer): void {
    this.#answer = answer;
  }

  execute(packet: unknown, connection: PipelineConnection): boolean {
    if (packet === undefined) {
      connection.sequenceId = 0;
      if (this.#packet) connection.writePacket(this.#packet);
      this.#packet = undefined;
      return false;
    }
    const answer = this.#answer;
    if (!answer || this.#place === "broken") return false;
    try {
      return this.#read(packet as ReadPacket, answer, connection);
    } catch (cause) {
      this.#fail(answer, cause);
      return false;
    }
  }

  /**
   * @param packets whole ones, which the guard has checked
   * @returns how many bytes were read. A row may pause the connection; then the driver holds those behind it
   */
  #take(packets: Buffer, answer: Answer, connection: PipelineConnection): number {
    const row = this.#row;
    if (this.#place !== "rows" || !row) return 0;
    let at = 0;
    try {
      while (at < packets.length && !connection.isPaused) {
        const start = at + frameBytes;
        const end = start + packets.readUIntLE(at, 3);
        connection.sequenceId = ((packets[at + 3] as number) + 1) & 0xff;
        row.cut(packets, start, end);
        at = end;
        answer.row(row);
      }
    } catch (cause) {
      this.#fail(answer, cause);
      at = packets.length;
    }
    row.release();
    return at;
  }

  #fail(answer: Answer, cause: unknown): void {
    this.#place = "broken";
    answer.failed(cause as Error);
  }

  /** @returns whether the answer is complete */
  #read(packet: ReadPacket, answer: Answer, connection: PipelineConnection): boolean {
    const { buffer, offset, end } = packet;
    const mark = buffer[offset];
    if (this.#place === "rows" && mark === marks.ok) {
      const row = this.#row as BinaryRow;
      row.cut(buffer, offset, end);
      answer.row(row);
      return false;
    }
    if (mark === marks.error && end > offset) {
      this.#row?.release();
      answer.failed(packet.asError("utf8"));
      answer.ended();
      return true;
    }
    switch (this.#place) {
      case "head":
        return mark === marks.ok ? this.#ok(packet, answer) : this.#begin(packet, connection);
      case "definitions":
        if (this.#columns?.take(packet)) this.#described(this.#columns, answer);
        return false;
      case "definitions end":
        endOf(packet);
        this.#place = "rows";
        answer.rows((packets) => this.#take(packets, answer, connection));
        return false;
      default: {
        const { warnings, status } = endOf(packet);
        answer.rowsEnd(warnings, status);
        return this.#isOver(status, answer);
      }
    }
  }

  #ok({ buffer, offset, end }: ReadPacket, answer: Answer): boolean {
    const reader = new PacketReader(buffer, offset + 1, end);
    // The affected rows, and the id.
    for (let i = 0; i < 2; i++) reader.skipInteger();
    const status = reader.integer(2);
    answer.ok(buffer.subarray(offset, end));
    return this.#isOver(status, answer);
  }

  #begin({ buffer, offset, end }: ReadPacket, connection: PipelineConnection): false {
    const reader = new PacketReader(buffer, offset, end);
    const count = reader.length();
    if (count === 0 || reader.at !== end) throw new MalformedPacket("an impossible number of columns");
    this.#columns = new ColumnReader(count, connection, this.#memory);
    this.#memory = undefined;
    this.#place = "definitions";
    return false;
  }

  #described(columns: ColumnReader, answer: Answer): void {
    const { fields, row, changed } = columns.end();
    this.#columns = undefined;
    this.#row = row;
    this.#place = "definitions end";
    answer.columns(fields, changed);
  }

  #isOver(status: number, answer: Answer): boolean {
    this.#place = "head";
    this.#row?.release();
    if ((status & moreResults) !== 0) return false;
    answer.ended();
    return true;
  }
}

/** @throws MalformedPacket if it is no EOF_Packet */
function endOf({ buffer, offset, end }: ReadPacket): { warnings: number; status: number } {
  if (buffer[offset] !== marks.eof || end - offset >= eofBytes)
    throw new MalformedPacket("something else came where an end belongs");
  const reader = new PacketReader(buffer, offset + 1, end);
  return { warnings: reader.integer(2), status: reader.integer(2) };
}
