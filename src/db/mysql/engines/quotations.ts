/**
 * Apostrophes in the servers' own words: "can't", "doesn't", "server's". A server's own quotation mark never
 * follows a letter. A value may look like such a word, but it is between two quotation marks, and everything
 * between them is removed.
 */
const apostrophes =
  /(?<=(?:^|[\s(])[A-Za-z]+n)'(?=t(?:[\s.,;)]|$))|(?<=(?:^|[\s(-])[A-Za-z]{3,})'(?=s(?:[\s.,;)]|$))/g;

/** Replaces apostrophes during the search for quotations. */
const mark = "\0";

/**
 * @param isCut whether the server has cut off the end of its message; then the last quotation may have no end
 * @returns the message without everything from the first quotation mark to the last
 */
export function withoutQuotations(message: string, isCut: boolean): string {
  const marked = message.replace(apostrophes, mark);
  const told = marked.replace(isCut ? /['"`].*/s : /['"`].*['"`]|['"`].*$/s, "'…'");
  return told.replaceAll(mark, "'");
}
