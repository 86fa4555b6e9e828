import type { Bindings } from "../application.ts";
import { askObject } from "../ask-object.ts";
import type { Config } from "../config/config.ts";
import type { Issuer } from "../config/issuer.ts";
import { limits } from "../limits.ts";
import type { FetchedKeys } from "./jwks-cache.ts";
import type { AskKeys } from "./keys.ts";
import { KeysUnavailableError } from "./keys.ts";
import type { KeysRequest } from "./keys-object.ts";

/**
 * @returns a function that asks an issuer's Keys object. The object's name has the source of the keys, so a
 *   new source gets a new object
 */
export function askKeysObject(env: Bindings, { environment }: Config): AskKeys {
  return async (issuer, unknownKid) => {
    const question: KeysRequest = { issuer: issuer.issuer, unknownKid };
    const name = `${environment}/${issuer.issuer}/${placeOf(issuer)}`;
    try {
      const found = await askObject(env.KEYS, name, question, limits.keysTimeoutMs);
      const { jwks, fetchedAt } = (found ?? {}) as Partial<FetchedKeys>;
      // Check the set here: for a broken set, jose would report a bad token.
      if (!jwks || !Array.isArray(jwks.keys) || fetchedAt === undefined) throw new Error("no key set");
      return { jwks, fetchedAt };
    } catch (cause) {
      throw new KeysUnavailableError(cause instanceof Error ? cause.message : String(cause));
    }
  };
}

function placeOf({ keys }: Issuer): string {
  return "uri" in keys ? keys.uri : keys.kind;
}
