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
  const read = async () => {
    try {
      const { done, value } = await reader.read();
      return { done, text: decoder.decode(value, { stream: !done }) };
    } catch (cause) {
      throw cut(cause);
    }
  };
  try {
    for (;;) {
      const { done, text } = await read();
      // Only the new piece is searched, however long a line is.
      const [first = "", ...further] = text.split("\n");
      rest += first;
      const last = further.pop();
      if (last !== undefined) {
        const lines = [rest, ...further];
        rest = last;
        yield lines;
      }
      if (done && rest !== "") throw cut();
      if (done) return;
    }
  } finally {
    // Behind the end, or an error, there is nothing left to cancel.
    await reader.cancel().catch(() => {});
  }
}
