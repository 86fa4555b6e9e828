/** @returns the text as one word of a command line, for the shell that Node.js takes on this system */
export function shellWord(text: string): string {
  // In double quotes a POSIX shell would still read $, ` and \.
  return process.platform === "win32" ? `"${text}"` : `'${text.replaceAll("'", "'\\''")}'`;
}
