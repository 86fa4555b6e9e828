import { X509Certificate } from "node:crypto";
import type { ServerCertificate } from "./link.ts";

/**
 * Reads what is worth observing of a certificate that was verified elsewhere.
 * @returns undefined when the runtime cannot read it, which is no reason to have no connection
 */
export function readCertificate(der: Uint8Array): ServerCertificate | undefined {
  try {
    // workerd has no validToDate.
    const { subject, validTo } = new X509Certificate(der);
    const notAfterMs = Date.parse(validTo);
    if (Number.isNaN(notAfterMs)) return undefined;
    // A certificate may name its server in subjectAltName only.
    return { subject: (subject ?? "").trim().replaceAll("\n", ", "), notAfterMs };
  } catch {
    return undefined;
  }
}
