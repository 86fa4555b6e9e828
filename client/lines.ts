/**
 * The lines of a body, those of one piece together. Only LF ends a line; a character may be cut between two pieces.
 * Leaving the loop cancels the request.
 * @param cut makes the error of a body that cannot be read, or whose last line has no end
 */
export async function* linesOf(
  body: ReadableStream<Uint8Array>,
  cut: (cause?: unknown) => unknown,
): AsyncGenerator<string[], void, undefined> {
  const reader = body.getReader();
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let rest = "";
  try {
    for (;;) {
      // Only the new piece is searched, however long a line is.
      const { done, lines } = await reader
        .read()
        .then(({ done, value }) => ({ done, lines: decoder.decode(value, { stream: !done }).split("\n") }))
        .catch((cause) => {
          throw cut(cause);
        });
      lines[0] = rest + lines[0];
      rest = lines.pop() as string;
      yield lines;
      if (done && rest !== "") throw cut();
      if (done) return;
    }
  } finally {
    // Behind the end, or an error, there is nothing left to cancel.
    await reader.cancel().catch(() => {});
  }
}
