/**
 * Sends several commands in one write. Servers read the next command from the socket after their answer to
 * the one before. mysql2 alone would wait for each answer before its next write. For mysql2 a pipeline is one
 * command: mysql2 passes it the packets until `execute` returns true.
 */

export interface ServerError extends Error {
  errno?: number;
  sqlState?: string;
  sqlMessage?: string;
}

/**
 * A command of mysql2. Called without a packet it writes itself; then it receives the packets of the answer.
 */
export interface DriverCommand {
  /** @returns whether the answer is complete */
  execute(packet: unknown, connection: PipelineConnection): boolean;
}

/** A packet of the server, as mysql2 passes it: the payload is in `buffer`, from `offset` to `end`. */
export interface ReadPacket {
  buffer: Buffer;
  /** The first byte of the packet's frame. */
  readonly start: number;
  offset: number;
  end: number;
  clone(): ReadPacket;
  /** Reads from `offset` to `end`. */
  readString(length: undefined, encoding: string | undefined): string;
  /** For an ERR_Packet. */
  asError(encoding: string): ServerError;
}

/** A packet to the server, as mysql2 writes it. */
export interface WrittenPacket {
  /** The payload, behind four bytes for the frame. */
  readonly buffer: Buffer;
  /** Of the whole buffer. */
  length(): number;
  writeHeader(sequenceId: number): void;
}

/** The connection's part that a command needs. */
export interface PipelineConnection {
  /** The sequence number of the next packet, from the server or from us. */
  sequenceId: number;
  /** Sends everything that `work` writes in one write. */
  writeTogether(work: () => void): void;
  writePacket(packet: WrittenPacket): void;
  /** Whether the driver keeps the packets that come. */
  readonly isPaused: boolean;
  /** Whether the server takes attributes with a statement (CLIENT_QUERY_ATTRIBUTES). */
  readonly takesAttributes: boolean;
  /** Whether definitions have MariaDB's further facts (MARIADB_CLIENT_EXTENDED_METADATA). */
  readonly hasExtendedMetadata: boolean;
}

export class Pipeline implements DriverCommand {
  /**
   * Commands without a complete answer, the next one first, with the sequence number of the answer's first
   * packet.
   */
  readonly #waiting: { command: DriverCommand; sequenceId: number }[] = [];
  #commands: readonly DriverCommand[];

  constructor(commands: readonly DriverCommand[]) {
    this.#commands = commands;
  }

  execute(packet: unknown, connection: PipelineConnection): boolean {
    if (packet === undefined) connection.writeTogether(() => this.#write(connection));
    else if (!this.#waiting[0]?.command.execute(packet, connection)) return false;
    else this.#waiting.shift();
    const next = this.#waiting[0];
    if (next) connection.sequenceId = next.sequenceId;
    return next === undefined;
  }

  #write(connection: PipelineConnection): void {
    for (const command of this.#commands) {
      connection.sequenceId = 0;
      const done = command.execute(undefined, connection);
      if (!done) this.#waiting.push({ command, sequenceId: connection.sequenceId });
    }
    this.#commands = [];
  }
}
