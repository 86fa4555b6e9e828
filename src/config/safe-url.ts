/**
 * @returns whether an issuer's address may be used: https, or in development http on loopback. Without TLS an
 *   attacker on the network could answer as the issuer
 */
export function isSafeUrl(text: string, environment: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  if (url.protocol === "https:") return true;
  const loopback = ["127.0.0.1", "localhost", "[::1]"].includes(url.hostname);
  return url.protocol === "http:" && loopback && environment === "development";
}
