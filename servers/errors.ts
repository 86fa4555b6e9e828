/**
 * No database server was found, or it did not start. The message says what was tried, why each way failed,
 * and what to do. Print it without a stack.
 */
export class ServerUnavailableError extends Error {
  override readonly name = "ServerUnavailableError";
  /** Set when another program has the port: the next port may work. */
  readonly code: "EADDRINUSE" | undefined;

  constructor(message: string, code?: "EADDRINUSE") {
    super(message);
    this.code = code;
  }
}

/** The message of any thrown value. */
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
