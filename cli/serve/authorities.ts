import { X509Certificate } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import type { Policy } from "../../src/config/schema.ts";
import { Stop } from "../command/errors.ts";

/** Which CAs the gateway's own connections trust: those of the link platform, and those to issuers over https. */
export interface Trust {
  /** In addition to those of the system: one certificate each, in PEM. */
  authorities: string[];
  warnings: string[];
}

/**
 * @param environment variables of this process
 * @throws Stop for a link or a trust that plain workerd cannot honour
 */
export function trustOf(
  { cluster, issuers }: Pick<Policy, "cluster" | "issuers">,
  environment: NodeJS.ProcessEnv,
): Trust {
  const { link, trust } = cluster;
  if (link === "hyperdrive") {
    throw new Stop(
      `cluster.link: "hyperdrive" exists on Cloudflare only. Deploy with tidegate deploy, or take link = "rustls" with ca, or link = "platform".`,
    );
  }
  const extra = environment.NODE_EXTRA_CA_CERTS;
  if (trust === "runtime" && extra === undefined) {
    throw new Stop(
      `cluster.trust: "runtime" needs the variable NODE_EXTRA_CA_CERTS with the path of a PEM file of CAs. Or take link = "rustls", trust = "bundle" with ca, or trust = "public".`,
    );
  }
  const needsSystem =
    (link === "platform" && trust === "public") ||
    issuers.some(({ issuer, jwks_uri = "", discovery = false }) =>
      (discovery ? issuer : jwks_uri).startsWith("https:"),
    );
  return {
    authorities: extra === undefined ? [] : readAuthorities(extra),
    warnings:
      needsSystem && !hasSystemAuthorities(environment)
        ? [
            "This machine has no public CAs in /etc/ssl/certs: connections that need them fail. Install ca-certificates.",
          ]
        : [],
  };
}

/** Of a PEM text with several certificates workerd would trust the first one only. */
function readAuthorities(path: string): string[] {
  try {
    const blocks = readFileSync(path, "utf8").match(/-----BEGIN .*?-----END [^-]*-----/gs);
    if (blocks === null) throw new Error("no certificate");
    return blocks.map((block) => new X509Certificate(block).toString());
  } catch (cause) {
    const reason =
      (cause as NodeJS.ErrnoException).code === "ENOENT"
        ? "there is no such file"
        : "it cannot be read as PEM";
    throw new Stop(`NODE_EXTRA_CA_CERTS=${path}: ${reason}. Name a PEM file with the CAs to trust.`);
  }
}

/** workerd looks where OpenSSL does. */
function hasSystemAuthorities({
  SSL_CERT_FILE,
  SSL_CERT_DIR = "/etc/ssl/certs",
}: NodeJS.ProcessEnv): boolean {
  try {
    if (SSL_CERT_FILE !== undefined && statSync(SSL_CERT_FILE).size > 0) return true;
  } catch {
    // The folder may have them.
  }
  try {
    return readdirSync(SSL_CERT_DIR).length > 0;
  } catch {
    return false;
  }
}
