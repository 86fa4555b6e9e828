import type { Authority } from "../../config/config.ts";
import { LinkError } from "./link.ts";

/**
 * Removes the expired CAs of the bundle, at each login. webpki checks the validity of all other certificates,
 * but not of the bundle's own.
 * @returns the CAs that are valid now, PEM
 * @throws LinkError when no CA is valid
 */
export function bundleAt(authorities: readonly Authority[], now: Date): string {
  const valid = authorities.filter(
    ({ notBefore, notAfter }) => new Date(notBefore) <= now && now <= new Date(notAfter),
  );
  if (valid.length > 0) return valid.map(({ pem }) => pem).join("\n");
  throw new LinkError("tls", "no CA of the bundle is valid today; check the file that cluster.ca names");
}
