import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { RequestListener } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname } from "node:path";
import type { CryptoKey, JWK, JWTPayload } from "jose";
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, SignJWT } from "jose";

export type SigningAlgorithm = "ES256" | "ES512" | "RS256" | "EdDSA" | "Ed25519";

/** An issuer's key pair. The public part has the algorithm. */
export interface SigningKey {
  privateKey: CryptoKey;
  publicJwk: JWK;
}

/** @returns a new key pair; its kid is its thumbprint (RFC 7638), and RSA has 2048 bits */
export async function createSigningKey(algorithm: SigningAlgorithm = "ES256"): Promise<SigningKey> {
  const options = { extractable: true, modulusLength: 2048 };
  const { privateKey, publicKey } = await generateKeyPair(algorithm, options);
  return { privateKey, publicJwk: await describe(await exportJWK(publicKey), algorithm) };
}

/** Reads the key pair in a file (a private JWK), or makes it, so that tokens stay valid after a restart. */
export async function ensureSigningKey(path: string): Promise<SigningKey> {
  if (!existsSync(path)) {
    const { privateKey } = await createSigningKey();
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, JSON.stringify(await exportJWK(privateKey)), { mode: 0o600 });
  }
  return await readSigningKey(path);
}

/** @throws when the file is missing or has no private JWK */
export async function readSigningKey(path: string): Promise<SigningKey> {
  const { d, ...publicPart } = JSON.parse(readFileSync(path, "utf8")) as JWK;
  const publicJwk = await describe(publicPart, "ES256");
  return { privateKey: (await importJWK({ ...publicPart, d, alg: "ES256" } as JWK)) as CryptoKey, publicJwk };
}

async function describe(jwk: JWK, algorithm: SigningAlgorithm): Promise<JWK> {
  return { ...jwk, kid: await calculateJwkThumbprint(jwk), alg: algorithm, use: "sig" };
}

/**
 * Signs a token.
 * @param claims with the `iss` and `aud` that the gateway expects; `exp` is a NumericDate or a time span like
 *   "1h"
 */
export async function mint(
  key: SigningKey,
  claims: JWTPayload,
  options: { expires?: string | number; kid?: string; typ?: string; alg?: string } = {},
): Promise<string> {
  const { kid = key.publicJwk.kid, typ = "JWT", alg = key.publicJwk.alg ?? "ES256" } = options;
  const header = { alg, typ, ...(kid === undefined ? {} : { kid }) };
  return await new SignJWT(claims)
    .setProtectedHeader(header)
    .setIssuedAt()
    .setExpirationTime(options.expires ?? "1h")
    .sign(key.privateKey);
}

export interface KeyServer {
  url: string;
  jwksUri: string;
  /** How often the keys have been fetched. */
  readonly fetches: number;
  stop(): Promise<void>;
}

export interface KeyServerOptions {
  /** The issuer in the metadata; by default the server's own address. */
  issuer?: string;
  /** More members of the metadata. */
  metadata?: Record<string, unknown>;
  /** More paths, without a query: a login, or tricks of a bad key server. */
  routes?: Record<string, RequestListener>;
}

/**
 * Serves an issuer's public keys on loopback under /.well-known/jwks.json, and its metadata under
 * /.well-known/openid-configuration (OpenID Connect Discovery 1.0 §4).
 */
export async function startKeyServer(
  keys: JWK[],
  port = 0,
  { issuer, metadata = {}, routes = {} }: KeyServerOptions = {},
): Promise<KeyServer> {
  let fetches = 0;
  const served: Record<string, () => unknown> = {
    "/.well-known/jwks.json": () => {
      fetches += 1;
      return { keys };
    },
    "/.well-known/openid-configuration": () => ({
      issuer: issuer ?? url,
      jwks_uri: jwksUri,
      ...metadata,
    }),
  };
  const server = createServer((request, response) => {
    const [path = ""] = (request.url ?? "").split("?");
    const route = routes[path];
    if (route) route(request, response);
    else if (served[path] === undefined) response.writeHead(404).end();
    else {
      // Keys and metadata are public: a page that logs in reads the metadata.
      const headers = { "content-type": "application/json", "access-control-allow-origin": "*" };
      response.writeHead(200, headers).end(JSON.stringify(served[path]()));
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const jwksUri = `${url}/.well-known/jwks.json`;
  return {
    url,
    jwksUri,
    get fetches() {
      return fetches;
    },
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
