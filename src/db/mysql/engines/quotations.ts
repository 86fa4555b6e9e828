/**
 * Apostrophes of the servers' own words: "can't", "doesn't", "server's". A quotation mark of theirs never stands behind a
 * letter. A value may look like such a word, but it stands between two quotation marks, which go with all between them.
 */
const apostrophes =
  /(?<=(?:^|[\s(])[A-Za-z]+n)'(?=t(?:[\s.,;)]|$))|(?<=(?:^|[\s(-])[A-Za-z]{3,})'(?=s(?:[\s.,;)]|$))/g;

/** Stands for an apostrophe for as long as quotations are looked for. */
const mark = "\0";

/**
 * @param isCut the server has left out the end of its message: then a quotation may not end
 * @returns the message without what it quotes: everything from the first quotation mark to the last
 */
export function withoutQuotations(message: string, isCut: boolean): string {
  const marked = message.replace(apostrophes, mark);
  const told = marked.replace(isCut ? /['"`].*/s : /['"`].*['"`]|['"`].*$/s, "'…'");
  return told.replaceAll(mark, "'");
}
