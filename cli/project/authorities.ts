import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Authority } from "../../src/config/config.ts";
import { ConfigError } from "../../src/config/policy.ts";
import { limits } from "../../src/limits.ts";

/** Reads the CA bundle of a cluster: a PEM file with only CA certificates and comments. */

const block = /-----BEGIN ([A-Z0-9 ]+)-----[\s\S]*?-----END \1-----/g;

/**
 * @param directory the project's folder
 * @param ca the policy's `cluster.ca`, relative to it
 * @param now a bundle without a certificate that is valid at this time is refused
 * @throws ConfigError that names every mistake
 */
export function readAuthorities(directory: string, ca: string, now = new Date()): Authority[] {
  const at = `cluster.ca: ${ca}`;
  let text: string;
  try {
    text = readFileSync(join(directory, ca), "utf8");
  } catch (cause) {
    throw new ConfigError([`${at} cannot be read: ${(cause as Error).message.replace(/,.*/, "")}`]);
  }
  const blocks = [...text.matchAll(block)];
  if (blocks.length === 0) throw new ConfigError([`${at} has no certificate in PEM (BEGIN CERTIFICATE)`]);
  const mistakes: string[] = [];
  // The bundle would leave such a part out, and the part might be a key.
  if (text.split("-----BEGIN ").length - 1 !== blocks.length) {
    mistakes.push(`${at} has a part that begins (-----BEGIN) and does not end`);
  }
  const authorities = blocks.flatMap(([pem, label = ""], i) => {
    const part = `${at}, part ${i + 1}`;
    if (label !== "CERTIFICATE") {
      mistakes.push(`${part} ${refusalOf(label)}`);
      return [];
    }
    try {
      return authorityOf(pem, part, mistakes);
    } catch {
      mistakes.push(`${part} is no certificate that can be read`);
      return [];
    }
  });
  const valid = authorities.some(
    ({ notBefore, notAfter }) => new Date(notBefore) <= now && now <= new Date(notAfter),
  );
  if (mistakes.length === 0 && !valid) mistakes.push(`${at} has no CA that is valid now`);
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  return authorities;
}

/** @returns a line for each CA that has expired or will expire soon */
export function expiryWarnings(authorities: readonly Authority[], nowMs = Date.now()): string[] {
  return authorities.flatMap(({ subject, notAfter }) => {
    const days = Math.floor((Date.parse(notAfter) - nowMs) / 86_400_000);
    if (days >= limits.certificateWarningDays) return [];
    const when = days < 0 ? "has expired and is not trusted" : `expires in ${days} days`;
    return [`the CA ${subject} ${when} (${notAfter.slice(0, 10)})`];
  });
}

function refusalOf(label: string): string {
  // This is the wrong file for a key: files of a project are committed and bundled.
  if (label.includes("PRIVATE KEY"))
    return "is a private key: take it out of the file, and count it as known";
  return `is a ${label}, no certificate`;
}

function authorityOf(pem: string, part: string, mistakes: string[]): Authority[] {
  const certificate = new X509Certificate(pem);
  const { subject, validFromDate, validToDate } = certificate;
  if (certificate.ca) {
    const name = subject.replaceAll("\n", ", ");
    return [
      { pem, subject: name, notBefore: validFromDate.toISOString(), notAfter: validToDate.toISOString() },
    ];
  }
  const name = subject.split("\n").at(-1) ?? "";
  mistakes.push(`${part} (${name}) is no CA's certificate: a bundle has CAs, not servers`);
  return [];
}
