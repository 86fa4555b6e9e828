/**
 * Several commands in one write. Servers take the next command from the socket when they have answered the one
 * before it; mysql2 waits for each answer before it writes again. To mysql2 a pipeline is one command: it shows it
 * the packets that come until `execute` says that it is done.
 */

/** A command of mysql2's: called without a packet it writes itself, then it is given the answer's packets. */
export interface DriverCommand {
  /** @returns whether the answer is complete */
  execute(packet: unknown, connection: PipelineConnection): boolean;
}

/** What a pipeline needs of the connection that it is given. */
export interface PipelineConnection {
  /** The number that the next packet must have, the server's or ours. */
  sequenceId: number;
  /** Has everything that `work` writes go out as one write. */
  writeTogether(work: () => void): void;
}

export class Pipeline implements DriverCommand {
  /** Those whose answer is still to come, the next one first, with the number of its first packet. */
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
