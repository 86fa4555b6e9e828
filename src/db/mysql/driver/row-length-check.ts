import type { DriverCommand } from "./command-pipeline.ts";

/** A packet and the position of the reader in it. */
interface ReadPacket {
  offset: number;
  end: number;
}

/** A command of the text protocol. It has the reader of its rows when it knows their columns. */
interface TextReading extends DriverCommand {
  _rowParser: { next(packet: ReadPacket, ...given: unknown[]): unknown } | null;
}

/**
 * Checks that each row of the text protocol fills its packet exactly. The driver would read a short row on
 * into the next packet and ignore surplus bytes. Both mean that the row does not belong to these columns. The
 * check fails the command.
 */
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
        if (read.offset !== read.end) throw new Error("a row does not fill its packet");
        return row;
      };
      seen = reader;
    }
    return execute.call(command, packet, connection);
  };
}
