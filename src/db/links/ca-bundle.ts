import type { Authority } from "../../config/config.ts";
import { LinkError } from "./link.ts";

/**
 * webpki looks at the days of every certificate but a bundle's own: those are looked at here, at each login.
 * @returns the CAs that may be trusted now, PEM
 * @throws LinkError when there is none
 */
export function bundleAt(authorities: readonly Authority[], now: Date): string {
  const valid = authorities.filter(
    ({ notBefore, notAfter }) => new Date(notBefore) <= now && now <= new Date(notAfter),
  );
  if (valid.length > 0) return valid.map(({ pem }) => pem).join("\n");
  throw new LinkError("tls", "no CA of the bundle is valid today; check the file that cluster.ca names");
}
