import type { JSONWebKeySet, JWTVerifyGetKey } from "jose";
import { createLocalJWKSet, createRemoteJWKSet } from "jose";
import type { Issuer } from "../config/config.ts";
import { limits } from "../limits.ts";

/** Where an issuer's verification keys come from, ready for jose. */
export interface KeySource {
  find: JWTVerifyGetKey;
  /** Fetches the keys if that has not succeeded lately. @throws whatever jose throws when it cannot. */
  ready(): Promise<void>;
}

/** @returns the key source of one issuer; nothing is fetched before a token needs it. */
export function keySource(issuer: Issuer): KeySource {
  const { keys } = issuer;
  if (keys.kind === "secret") {
    const bytes = new TextEncoder().encode(keys.secret);
    return { find: async () => bytes, ready: async () => {} };
  }
  if (keys.kind === "static") {
    return { find: createLocalJWKSet(keys.jwks as unknown as JSONWebKeySet), ready: async () => {} };
  }
  const remote = createRemoteJWKSet(new URL(keys.uri), {
    timeoutDuration: limits.jwksTimeoutMs,
    cooldownDuration: limits.jwksCooldownMs,
    cacheMaxAge: limits.jwksMaxAgeMs,
  });
  return {
    find: remote,
    ready: async () => {
      if (!remote.fresh) await remote.reload();
    },
  };
}
