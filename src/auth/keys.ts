import type { CompactVerifyGetKey } from "jose";
import { errors } from "jose";
import type { Issuer } from "../config/issuer.ts";
import { limits } from "../limits.ts";
import { resolver } from "./import-keys.ts";
import type { FetchedKeys } from "./jwks-cache.ts";

/** The source of an issuer's verification keys, in the form that jose takes. */
export interface KeySource {
  find: CompactVerifyGetKey;
  /** Gets the keys if there are none. @throws KeysUnavailableError */
  ready(): Promise<void>;
}

/** Asks the issuer's Keys object. @throws KeysUnavailableError */
export type AskKeys = (issuer: Issuer, unknownKid: boolean) => Promise<FetchedKeys>;

/** The issuer's keys are not available. The message is for the operator. */
export class KeysUnavailableError extends Error {
  override readonly name = "KeysUnavailableError";
}

/** @returns the key source of one issuer. It fetches nothing before a token needs a key */
export function keySource(issuer: Issuer, ask: AskKeys): KeySource {
  const { keys } = issuer;
  if (keys.kind === "secret") {
    const { secret } = keys;
    return { find: async () => secret, ready: async () => {} };
  }
  if (keys.kind === "static") return { find: resolver(keys.jwks), ready: async () => {} };
  return remoteKeys(issuer, ask);
}

interface Copy {
  find: CompactVerifyGetKey;
  fetchedAt: number;
  copiedAt: number;
}

/**
 * Keeps a copy of the Keys object's set in this isolate, because importing a key costs more than using it.
 */
function remoteKeys(issuer: Issuer, ask: AskKeys): KeySource {
  let copy: Copy | undefined;
  /** The last question to the object about an unknown key, and its error if it failed. */
  let unknown: { askedAt: number; error?: unknown } = { askedAt: 0 };
  const refresh = async (unknownKid: boolean): Promise<Copy> => {
    const { jwks, fetchedAt } = await ask(issuer, unknownKid);
    const find = copy?.fetchedAt === fetchedAt ? copy.find : resolver(jwks);
    copy = { find, fetchedAt, copiedAt: Date.now() };
    return copy;
  };
  const current = async (): Promise<Copy> => {
    const held = copy;
    if (held && Date.now() - held.copiedAt < limits.jwksCopyAgeMs) return held;
    try {
      return await refresh(false);
    } catch (cause) {
      // Without the object, the copy stays in use, for as long as the object would use its own set.
      if (held && Date.now() - held.fetchedAt < limits.jwksStaleMs) return held;
      throw cause;
    }
  };
  return {
    find: async (header, token) => {
      const before = await current();
      try {
        return await before.find(header, token);
      } catch (cause) {
        if (!(cause instanceof errors.JWKSNoMatchingKey)) throw cause;
        if (Date.now() - unknown.askedAt < limits.unknownKidPauseMs) throw unknown.error ?? cause;
        unknown = { askedAt: Date.now() };
        const after = await refresh(true).catch((error: unknown) => {
          unknown = { ...unknown, error };
          throw error;
        });
        if (after.fetchedAt === before.fetchedAt) throw cause;
        return await after.find(header, token);
      }
    },
    ready: async () => {
      await current();
    },
  };
}
