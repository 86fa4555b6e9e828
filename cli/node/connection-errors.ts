/** How far an attempt to connect has come, and what ends it besides the errors of Node and the driver. */

export type Step = "dns" | "dial" | "greeting" | "tls" | "login" | "database";

/** The server's first packet was a refusal. */
export class GreetingError extends Error {
  readonly errno: number | undefined;
  constructor(message: string, errno?: number) {
    super(message);
    this.name = "GreetingError";
    this.errno = errno;
  }
}

/** The time was up. */
export class TimeoutError extends Error {}

/** The server's greeting has no TLS in it. */
export class NoTlsError extends Error {}

/** The other side chose the words, and a terminal obeys control characters. */
export function clean(said: unknown): string {
  const text = said instanceof Error ? said.message : String(said);
  return text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ")
    .trim()
    .replace(/\.$/, "")
    .slice(0, 200);
}
