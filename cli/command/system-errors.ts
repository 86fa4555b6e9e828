/** What the system says to a program, as one line for the operator: what is wrong, and the remedy. Pure. */

interface SystemError {
  code: string;
  syscall?: string | undefined;
  path?: string | undefined;
  /** Where rename() or copyFile() should have put the file. */
  dest?: string | undefined;
  address?: string | undefined;
  port?: number | undefined;
  hostname?: string | undefined;
}

type Words = (error: SystemError) => string;

const missing: Words = (error) => `There is no ${fileOf(error)}. Check the path.`;
const rights: Words = (error) =>
  `This user has no rights on ${fileOf(error)} (${error.code}). Change its owner or its mode, or run the command as its owner.`;
const inTheWay: Words = (error) =>
  `A part of ${fileOf(error)} is a file, and a folder is needed there. Move the file away.`;
const full: Words = (error) =>
  `There is no room to write ${fileOf(error)} (${error.code}). Make room, then run the command again.`;
const unresolved: Words = (error) =>
  `There is no address for ${error.hostname ?? "the host"} (${error.code}). Check the name, and this machine's network and name servers.`;
const unanswered: Words = (error) =>
  `${addressOf(error)} gives no answer (${error.code}). Check the address, the route to it, and the firewall.`;

const closed: Words = (error) =>
  `${addressOf(error)} closed the connection (${error.code}). Check that it is the right port, and the other side's log.`;

const wordsOf: Record<string, Words> = {
  ENOENT: missing,
  EACCES: rights,
  EPERM: rights,
  EROFS: rights,
  ENOSPC: full,
  EDQUOT: full,
  EFBIG: full,
  EISDIR: (error) =>
    `${fileOf(error)} is a folder, and a file is needed there. Name a file, or move the folder away.`,
  ENOTDIR: inTheWay,
  EEXIST: (error) =>
    error.syscall === "mkdir" ? inTheWay(error) : `${fileOf(error)} exists already. Move it away.`,
  ELOOP: (error) => `${fileOf(error)} is a link that leads to itself. Remove it.`,
  ENAMETOOLONG: () => "A path is too long for this system. Give a shorter one.",
  EMFILE: () => "This system lets the command open no more files (EMFILE). Raise the limit: ulimit -n 4096.",
  EADDRINUSE: (error) =>
    `Another program listens on ${addressOf(error)}. Stop that program, or take another port.`,
  EADDRNOTAVAIL: (error) => `${addressOf(error)} is no address of this machine. Name one that it has.`,
  ENOTFOUND: unresolved,
  EAI_AGAIN: unresolved,
  ECONNREFUSED: (error) =>
    `No program listens on ${addressOf(error)} (ECONNREFUSED). Check host and port, and that the program runs.`,
  ECONNRESET: closed,
  EPIPE: closed,
  UND_ERR_SOCKET: closed,
  ETIMEDOUT: unanswered,
  EHOSTUNREACH: unanswered,
  ENETUNREACH: unanswered,
  UND_ERR_CONNECT_TIMEOUT: unanswered,
};

/**
 * @param cause any thrown value; the causes of an error, and the errors of an AggregateError, are looked at too
 * @returns one line; undefined if the system did not say it
 */
export function systemErrorText(cause: unknown): string | undefined {
  for (const error of chainOf(cause)) {
    const known = error as Error & SystemError;
    if (typeof known.code === "string" && Object.hasOwn(wordsOf, known.code))
      return wordsOf[known.code]?.(known);
  }
  return undefined;
}

/** @returns why a request had no answer: fetch itself says only "fetch failed", and the reason stands in its causes */
export function fetchErrorText(cause: unknown): string {
  const last = chainOf(cause).at(-1);
  return systemErrorText(cause) ?? last?.message ?? String(cause);
}

/** @returns an error and all that caused it, the outer ones first */
export function chainOf(cause: unknown): Error[] {
  const chain: Error[] = [];
  const queue: unknown[] = [cause];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    if (!(next instanceof Error) || chain.includes(next)) continue;
    chain.push(next);
    if (next instanceof AggregateError) queue.push(...next.errors);
    queue.push(next.cause);
  }
  return chain;
}

function fileOf({ path, dest }: SystemError): string {
  return dest ?? path ?? "a file";
}

function addressOf({ address, hostname, port }: SystemError): string {
  const host = address ?? hostname;
  if (host === undefined) return "The other side";
  return port === undefined ? host : `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
