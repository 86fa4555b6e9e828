import type { DriverCommand } from "./command-pipeline.ts";
import type { ExecuteCommand } from "./driver.ts";

/** Of a prepared statement's command: it makes the reader of its rows, when it knows their columns. */
interface RowReading {
  buildParserFromFields(
    ...given: unknown[]
  ): new () => { next(packet: ReadPacket, ...given: unknown[]): unknown };
}

/** A packet, with how far it has been read. */
interface ReadPacket {
  offset: number;
  end: number;
}

/**
 * The driver reads a row's values on and on, into the next packet where one is cut off, and leaves alone what
 * is too much. Either means that the row is not of these columns: here it is an error of the command's.
 */
export function demandWholeRows(running: ExecuteCommand): void {
  const command = running as ExecuteCommand & RowReading;
  const build = command.buildParserFromFields;
  command.buildParserFromFields = (...given) => {
    const Reader = build.apply(command, given);
    return class extends Reader {
      override next(packet: ReadPacket, ...rest: unknown[]): unknown {
        const row = super.next(packet, ...rest);
        demandEnd(packet);
        return row;
      }
    };
  };
}

/** Of a command of the text protocol: the reader of its rows, once it knows their columns. */
interface TextReading extends DriverCommand {
  _rowParser: { next(packet: ReadPacket, ...given: unknown[]): unknown } | null;
}

/** As `demandWholeRows`, for a text that is executed. */
export function demandWholeTextRows(running: DriverCommand): void {
  const command = running as TextReading;
  const execute = command.execute;
  let seen: TextReading["_rowParser"] = null;
  command.execute = (packet, connection) => {
    const reader = command._rowParser;
    if (reader && reader !== seen) {
      const next = reader.next;
      reader.next = (read, ...rest) => {
        const row = next.call(reader, read, ...rest);
        demandEnd(read);
        return row;
      };
      seen = reader;
    }
    return execute.call(command, packet, connection);
  };
}

function demandEnd({ offset, end }: ReadPacket): void {
  if (offset !== end) throw new Error("a row does not fill its packet");
}
