import type { Authority } from "../../../config/config.ts";
import { limits } from "../../../limits.ts";
import type { ServerCertificate } from "../../links/link.ts";

/** A certificate that expires soon. */
export interface Expiring {
  kind: "server" | "ca";
  subject: string;
  /** Rounded down. Negative: the certificate has expired. */
  days_left: number;
}

const dayMs = 86_400_000;

/** Remembers the warnings of the last day: a connection every second must not log a warning every second. */
export class ExpiryWatch {
  readonly #toldMs = new Map<string, number>();

  /** @returns the certificates that expire soon and had no warning in the last day */
  due(server: ServerCertificate | undefined, authorities: readonly Authority[], nowMs: number): Expiring[] {
    const all = [
      ...(server ? [{ kind: "server" as const, ...server }] : []),
      ...authorities.map(({ subject, notAfter }) => ({
        ...{ kind: "ca" as const, subject },
        notAfterMs: Date.parse(notAfter),
      })),
    ];
    return all.flatMap(({ kind, subject, notAfterMs }) => {
      const daysLeft = Math.floor((notAfterMs - nowMs) / dayMs);
      const told = this.#toldMs.get(`${kind} ${subject}`) ?? Number.NEGATIVE_INFINITY;
      if (daysLeft >= limits.certificateWarningDays || nowMs - told < dayMs) return [];
      this.#toldMs.set(`${kind} ${subject}`, nowMs);
      return [{ kind, subject, days_left: daysLeft }];
    });
  }
}
