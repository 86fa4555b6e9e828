import type { DriverCommand } from "./command-pipeline.ts";
import type { ExecuteCommand } from "./driver.ts";

/** A prepared statement's command. It builds the reader of its rows from their columns. */
interface RowReading {
  buildParserFromFields(
    ...given: unknown[]
  ): new () => { next(packet: ReadPacket, ...given: unknown[]): unknown };
}

/** A packet and the position of the reader in it. */
interface ReadPacket {
  offset: number;
  end: number;
}

/**
 * Checks that each row fills its packet exactly. The driver would read a short row on into the next packet
 * and ignore surplus bytes. Both mean that the row does not belong to these columns. The check fails the
 * command.
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

/** A command of the text protocol. It has the reader of its rows when it knows their columns. */
interface TextReading extends DriverCommand {
  _rowParser: { next(packet: ReadPacket, ...given: unknown[]): unknown } | null;
}

/** As `demandWholeRows`, for a command of the text protocol. */
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
