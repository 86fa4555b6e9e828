import { ServerUnavailableError } from "../../servers/errors.ts";
import { TidegateError } from "../../src/errors.ts";

/** How a command ends that does not succeed. */

/** Ends a command. Its message is the whole output; an empty message prints nothing. */
export class Stop extends Error {
  override readonly name = "Stop";
  /** The exit code: 1 if the answer is no, 2 if the command could not do it. */
  readonly status: number;

  constructor(message: string, status = 2) {
    super(message);
    this.status = status;
  }
}

/**
 * Prints why a command ends. It prints a stack only for a bug in this program.
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
