import { ServerUnavailableError } from "../../servers/errors.ts";
import { TidegateError } from "../../src/errors.ts";

/** How every command ends that does not do what it was asked for. */

/** Ends a command: its message is all that is said, and nothing is said where it is empty. */
export class Stop extends Error {
  override readonly name = "Stop";
  /** The exit code: 1 where the answer is no, 2 where the command could not be tried as it was typed. */
  readonly status: number;

  constructor(message: string, status = 1) {
    super(message);
    this.status = status;
  }
}

/**
 * Prints why a command ends. A stack stands there only for a mistake of this program.
 * @returns the exit code
 */
export function complain(cause: unknown): number {
  if (cause instanceof Stop) {
    if (cause.message !== "") console.error(cause.message);
    return cause.status;
  }
  console.error(cause instanceof ServerUnavailableError ? cause.message : cause);
  return 1;
}

/** @returns why something failed, for the operator */
export function operatorText(cause: unknown): string {
  if (cause instanceof TidegateError) return `${cause.code}: ${cause.operator ?? cause.message}`;
  return cause instanceof Error ? cause.message : String(cause);
}
