/**
 * No database server could be had, or it did not start. The message says what was tried, why each way
 * failed, and what to do; it is meant to be printed as it is, without a stack.
 */
export class ServerUnavailableError extends Error {
  override readonly name = "ServerUnavailableError";
  /** Where another program has its port: the next one may do. */
  readonly code: "EADDRINUSE" | undefined;

  constructor(message: string, code?: "EADDRINUSE") {
    super(message);
    this.code = code;
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The last `count` lines of a text, indented by two spaces, for the tail of a message. */
export function lastLines(text: string, count: number): string {
  return text
    .trimEnd()
    .split("\n")
    .slice(-count)
    .map((line) => `  ${line}`)
    .join("\n");
}
