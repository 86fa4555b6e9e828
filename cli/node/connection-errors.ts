/** The steps of an attempt to connect, and its errors besides those of Node and the driver. */

export type Step = "dns" | "dial" | "greeting" | "tls" | "login" | "database";

/** The server's first packet was an error. */
export class GreetingError extends Error {
  readonly errno: number | undefined;
  constructor(message: string, errno?: number) {
    super(message);
    this.name = "GreetingError";
    this.errno = errno;
  }
}

/** The time is over. */
export class TimeoutError extends Error {}

/** The server's greeting offers no TLS. */
export class NoTlsError extends Error {}

/** The other side chose the text, and a terminal executes control characters. */
export function clean(said: unknown): string {
  const text = said instanceof Error ? said.message : String(said);
  return text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ")
    .trim()
    .replace(/\.$/, "")
    .slice(0, 200);
}
