import { generateKeyPairSync } from "node:crypto";
import type { ServerResponse } from "node:http";
import type { Signer } from "../tokens/parties.ts";
import { encode, nowSeconds } from "../tokens/parties.ts";

export type Members = Record<string, unknown>;

/** A token that its service signs, before it is signed. */
export interface Token {
  header: Members;
  claims: Members;
}

/** A token that must be refused: what is different from the service's good one, and the refusal's code. */
export interface Refused {
  name: string;
  code: string;
  header?: Members;
  /** Undefined removes a claim. */
  claims?: Members;
  /** Another signature than that of the service's key. */
  sign?: Signer;
}

/** A service of docs/guides/issuers.md: how it answers and what its tokens are like, by its documents. */
export interface Service {
  /** The page's section. */
  title: string;
  /** The algorithm of its keys. */
  algorithm: "RS256" | "ES256";
  /** A good token for each grant of the section. */
  tokens: Token[];
  /** More good tokens. */
  accepted?: Record<string, Token>;
  refused: Refused[];
  /** The published set, made of the public key's members and its id. */
  keySet(jwk: Members, kid: string): Members;
  /** What its key server demands of a request; by default nothing. */
  answer?(accept: string, set: string, response: ServerResponse): void;
  contentType: string;
}

/** The key with which a service signed before, or will sign next. */
const otherKey = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ format: "jwk" });

/** @returns a set as services publish it that change their keys: the one in use stands last */
export function rotated(jwk: Members, kid: string): Members {
  const named = { use: "sig", alg: "RS256" };
  return {
    keys: [
      { ...otherKey, ...named, kid: `${kid}-other` },
      { ...jwk, ...named, kid },
    ],
  };
}

/** The times of a token that lives for this long. */
export const lives = (seconds: number) => ({ iat: nowSeconds, exp: nowSeconds + seconds });

/** @returns the token as text: the header has the kid, if it names no other one */
export function textOf({ header, claims }: Token, kid: string, sign: Signer): string {
  const input = `${encode({ kid, ...header })}.${encode(claims)}`;
  return `${input}.${sign(Buffer.from(input)).toString("base64url")}`;
}

/** @returns a copy in which the member at the path has another value; undefined removes it */
export function withMember(members: Members, [name = "", ...rest]: readonly string[], value: unknown) {
  const inner = members[name];
  const changed: Members = {
    ...members,
    [name]: rest.length === 0 ? value : withMember({ ...(inner as Members) }, rest, value),
  };
  if (changed[name] === undefined) delete changed[name];
  return changed;
}
