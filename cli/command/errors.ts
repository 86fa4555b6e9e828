import { ServerUnavailableError } from "../../servers/errors.ts";
import { TidegateError } from "../../src/errors.ts";
import { systemErrorText } from "./system-errors.ts";

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
 * Prints why a command ends: one line, or the lines of a `Stop`. Only for a bug in this program it prints a stack, and of
 * the error nothing else: other members may hold a password.
 * @returns the exit code
 */
export function complain(cause: unknown): number {
  if (cause instanceof Stop) {
    if (cause.message !== "") console.error(cause.message);
    return cause.status;
  }
  const words = cause instanceof ServerUnavailableError ? cause.message : systemErrorText(cause);
  console.error(words ?? (cause instanceof Error ? cause.stack : String(cause)));
  return 2;
}

/** @returns why something failed, for the operator */
export function operatorText(cause: unknown): string {
  if (cause instanceof TidegateError) return `${cause.code}: ${cause.operator ?? cause.message}`;
  return systemErrorText(cause) ?? (cause instanceof Error ? cause.message : String(cause));
}
