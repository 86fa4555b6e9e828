import type { Authority } from "../../../config/config.ts";
import { limits } from "../../../limits.ts";
import type { ServerCertificate } from "../../links/link.ts";

/** A certificate that will not be valid for long. */
export interface Expiring {
  kind: "server" | "ca";
  subject: string;
  /** Rounded down; negative: it has expired. */
  days_left: number;
}

const dayMs = 86_400_000;

/** Remembers what has been told today: a connection every second must not make a line every second. */
export class ExpiryWatch {
  readonly #toldMs = new Map<string, number>();

  /** @returns what expires soon and has not been told for a day */
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
