import type { Answer, Execution } from "./answer.ts";
import type { DriverCommand, ReadPacket } from "./command-pipeline.ts";
import type { Connection, ResultHeader, ServerError, TextCommand } from "./driver.ts";
import type { Field } from "./field.ts";
import { demandWholeTextRows } from "./row-length-check.ts";
import { textRowReader } from "./text-rows.ts";

/** A packet as mysql2 passes it to its own commands. */
interface SeenPacket extends ReadPacket {
  isEOF(): boolean;
  /** For an end of rows. The driver reads the counts as signed. */
  eofWarningCount(): number;
  eofStatusFlags(): number;
}

/**
 * @returns the execution of a text in the text protocol, not sent yet. mysql2 reads its answer. None comes if
 *   the connection is closed
 */
export function executeText(connection: Connection, sql: string): Execution {
  const [command] = connection.collect(() => connection.query({ sql, rowsAsArray: true, typeCast: false }));
  if (command === undefined) return { execute: () => true, listen() {} };
  demandWholeTextRows(command);
  return Object.assign(command, { listen: (answer: Answer) => listenTo(command as TextCommand, answer) });
}

function listenTo(running: TextCommand, answer: Answer): void {
  let read: ReturnType<typeof textRowReader> | undefined;
  let packet: SeenPacket | undefined;
  showPackets(running, (seen) => {
    packet = seen;
    // An end of definitions too, whose count is none. The next one replaces it.
    if (seen.isEOF()) answer.rowsEnd(seen.eofWarningCount() & 0xffff, seen.eofStatusFlags() & 0xffff);
  });
  running.on("fields", (fields: readonly Field[] | undefined) => {
    if (!fields) return;
    read = textRowReader(fields);
    // Never compared.
    answer.columns(fields, true);
  });
  running.on("result", (row: (Uint8Array | null)[] | ResultHeader) => {
    if (Array.isArray(row)) answer.values(read?.(row) ?? []);
    else if (packet) answer.ok(packet.buffer.subarray(packet.start + frameBytes, packet.end));
  });
  running.on("error", (error: ServerError) => answer.failed(error));
  running.on("end", () => answer.ended());
}

const frameBytes = 4;

/** Has `seen` called with each packet before the command reads it. */
function showPackets(command: DriverCommand, seen: (packet: SeenPacket) => void): void {
  const execute = command.execute;
  command.execute = (packet, connection) => {
    if (packet !== undefined) seen(packet as SeenPacket);
    return execute.call(command, packet, connection);
  };
}
