import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { JWK } from "jose";
import { exportJWK, generateKeyPair } from "jose";
import type { Connection } from "mysql2/promise";
import { connectAdministrator } from "../../../servers/database/connection.ts";
import type { DatabaseServer } from "../../../servers/database/server.ts";
import type { TokenAlgorithm } from "../../../src/config/schema.ts";
import { furtherDirectory, startFurther } from "../support/further-server.ts";

/** A TiDB whose users log in with tokens (tidb_auth_token), beside the project's own server. */

export interface TokenServer {
  database: DatabaseServer;
  administrator: Connection;
  /** Writes the file of public keys (JWKS) again. TiDB reads it when a token fits none of the old keys. */
  publish(keys: readonly TokenKey[]): void;
  /** TiDB's messages about tokens since the last call, one line each. */
  refusals(): string[];
  stop(): Promise<void>;
}

/** A key pair, as JWK. */
export interface TokenKey {
  /** The text for the account's secret. */
  secret: string;
  publicJwk: JWK;
}

export async function createTokenKey(kid: string, algorithm: TokenAlgorithm = "RS256"): Promise<TokenKey> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  const named = { kid, alg: algorithm };
  return {
    secret: JSON.stringify({ ...(await exportJWK(privateKey)), ...named }),
    publicJwk: { ...(await exportJWK(publicKey)), ...named, use: "sig" },
  };
}

/** @param name as of `startFurther` */
export async function startTokenServer(name: string, keys: readonly TokenKey[]): Promise<TokenServer> {
  const directory = furtherDirectory(name);
  mkdirSync(directory, { recursive: true });
  const tokenKeys = join(directory, "jwks.json");
  const publish = (published: readonly TokenKey[]) =>
    writeFileSync(tokenKeys, JSON.stringify({ keys: published.map(({ publicJwk }) => publicJwk) }));
  publish(keys);
  const database = await startFurther(name, { tokenKeys });
  const administrator = await connectAdministrator(database);
  let read = 0;
  return {
    database,
    administrator,
    publish,
    refusals() {
      const log = readFileSync(database.logPath, "utf8");
      const lines = log.slice(read).split("\n");
      read = log.length;
      return lines.flatMap((line) => /\["(?:verify JWT|check claims) failed"\] (.*)/.exec(line)?.[1] ?? []);
    },
    async stop() {
      await administrator.end();
      await database.stop();
      rmSync(tokenKeys);
    },
  };
}
