import { X509Certificate } from "node:crypto";
import type { ServerCertificate } from "./link.ts";

/**
 * Reads the subject and the end date of a certificate that was verified elsewhere.
 * @returns undefined when the runtime cannot read it; the connection does not need it
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
