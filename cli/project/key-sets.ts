import type { JsonWebKey } from "node:crypto";
import { createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { KeySet, Refusal, UsableKeys } from "../../src/config/key-set.ts";
import {
  bareKey,
  hasSecret,
  keysOf,
  notImported,
  refusalOf,
  withoutRefused,
} from "../../src/config/key-set.ts";
import { ConfigError } from "../../src/config/policy.ts";
import type { Policy } from "../../src/config/schema.ts";
import { limits } from "../../src/limits.ts";
import { Stop } from "../command/errors.ts";
import { systemErrorText } from "../command/system-errors.ts";

/** Reads JWK sets (RFC 7517 §5) of files: an issuer's `jwks` in the policy may name one. */

/** A file of the project, in one of its folders or beside tidegate.toml. */
const form = /^(?:[A-Za-z0-9_-][A-Za-z0-9._-]*\/)*[A-Za-z0-9_-][A-Za-z0-9._-]*\.json$/;

type Table = Record<string, unknown>;

/**
 * @param policy as tidegate.toml has it
 * @param directory the project's folder
 * @param where the policy's place, for the messages
 * @returns the policy with the keys in the place of the files' names
 * @throws Stop with a line for each mistake in these files
 */
export function withKeySets(policy: Table, directory: string, where: string): Table {
  if (!Array.isArray(policy.issuers)) return policy;
  const mistakes: string[] = [];
  const issuers = policy.issuers.map((issuer: unknown, i) => {
    const { jwks } = (issuer ?? {}) as Table;
    if (typeof jwks !== "string") return issuer;
    try {
      if (!form.test(jwks)) throw new Error(`must be a file of the project such as "ca/issuer.jwks.json"`);
      return { ...(issuer as Table), jwks: readKeySet(join(directory, jwks)) };
    } catch (cause) {
      mistakes.push(`${where}: issuers[${i}].jwks: ${JSON.stringify(jwks)} ${(cause as Error).message}`);
      return issuer;
    }
  });
  if (mistakes.length > 0) throw new Stop(mistakes.join("\n"));
  return { ...policy, issuers };
}

/** @returns the public keys in a file. @throws Error that says what the file is or has, in words after its name */
export function readKeySet(path: string): KeySet {
  return parseKeySet(readText(path));
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new Error(code === "ENOENT" ? "is not there" : `cannot be read: ${systemErrorText(cause) ?? code}`);
  }
}

/** @throws as `readKeySet` */
export function parseKeySet(text: string): KeySet {
  if (Buffer.byteLength(text) > limits.jwksBytes)
    throw new Error(`has more than ${limits.jwksBytes} bytes, which no key set has`);
  let value: unknown;
  try {
    // Editors of some systems put a byte order mark in front.
    value = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch {
    throw new Error('is no JSON: a JWK set is {"keys": [..]} (RFC 7517)');
  }
  const { keys } = (value ?? {}) as { keys?: unknown };
  if (!Array.isArray(keys)) throw new Error('is no JWK set: it must be {"keys": [..]} (RFC 7517)');
  // The file is committed and bundled, so a secret in it has been published.
  const secret = keys.findIndex((key) => typeof key === "object" && key !== null && hasSecret(key));
  if (secret >= 0)
    throw new Error(
      `has a private key (keys[${secret}]): take it out, count it as known, and leave its public half`,
    );
  const { jwks, refused, foreign } = importableKeys(value);
  // Keys for something else are no fault, as long as there are others.
  const faults = [...refused, ...(jwks.keys.length === 0 ? foreign : [])];
  if (faults.length > 0) throw new Error(`has a key that cannot be used: ${faults.join("; ")}`);
  if (jwks.keys.length === 0) throw new Error("has no key");
  return { keys };
}

/** @throws ConfigError that names the keys of a policy that cannot be imported: none of their tokens would be good */
export function demandImportable(issuers: Policy["issuers"]): void {
  const mistakes = issuers.flatMap(({ jwks }, i) =>
    jwks === undefined ? [] : importableKeys(jwks).refused.map((reason) => `issuers[${i}].jwks.${reason}`),
  );
  if (mistakes.length > 0) throw new ConfigError(mistakes);
}

/** As the gateway's own: Node imports a key at once, and refuses what WebCrypto refuses, points off their curve. */
function importableKeys(value: unknown): UsableKeys {
  const keys = keysOf(value);
  return withoutRefused(
    keys,
    keys.map((key) => refusalOf(key) ?? trial(key)),
  );
}

function trial(key: unknown): Refusal | undefined {
  try {
    createPublicKey({ key: bareKey(key as Record<string, unknown>) as JsonWebKey, format: "jwk" });
    return undefined;
  } catch {
    return notImported;
  }
}
