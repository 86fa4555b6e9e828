import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { join, posix } from "node:path";
import { exportJWK } from "jose";
import { createSigningKey, readSigningKey } from "../../servers/issuer/issuer.ts";
import { fetchKeys, KeysFetchError } from "../../src/auth/fetch-keys.ts";
import type { Algorithm } from "../../src/config/algorithms.ts";
import { fitsAlgorithm, isEd25519, publicAlgorithms, withBothNames } from "../../src/config/algorithms.ts";
import { metadataOf } from "../../src/config/issuer.ts";
import { usableKeys } from "../../src/config/key-set.ts";
import { isSafeUrl } from "../../src/config/safe-url.ts";
import { counted, wordsOf } from "../check/issuers.ts";
import { Stop } from "../command/errors.ts";
import { clean } from "../node/connection-errors.ts";
import { developmentIssuer, developmentKeyFile, developmentKeySet } from "../project/development-key.ts";
import { parseKeySet } from "../project/key-sets.ts";
import { projectFile } from "../project/paths.ts";
import type { FileToWrite } from "../project/write-together.ts";
import { readUserFile } from "./input.ts";
import type { Keys } from "./toml.ts";

/** Where the keys of the callers' tokens come from: an issuer on the network, a file, or the project's own key. */

export interface FoundIssuer {
  /** The table of [[env.NAME.issuers]]. */
  table: Keys;
  /** The files that it names, and the private half of the project's own key. */
  files: FileToWrite[];
  /** What was found, in words; undefined if nothing was looked for. */
  said: string | undefined;
}

export interface IssuerQuestion {
  /** The `iss` of the tokens. */
  issuer: string;
  /** The path of a file with the keys, or their address; undefined for OpenID Connect discovery. */
  jwks: string | undefined;
  audience: string;
  env: string;
  /** The project's folder. */
  project: string;
  /** Those that the environment has. */
  issuers: readonly Keys[];
}

/** Reads or fetches an issuer's keys. @throws Stop that says in one line why they cannot be had */
export async function lookUp(question: IssuerQuestion): Promise<FoundIssuer> {
  const { issuer, jwks, audience, env } = question;
  if (jwks !== undefined && !/^https?:\/\//i.test(jwks)) return fromFile(question, jwks);
  const where = jwks ?? issuer;
  if (!isSafeUrl(where, env)) {
    throw new Stop(
      jwks === undefined
        ? `The issuer ${clean(issuer)} is no https address, where its keys could be asked for: give them with --jwks FILE.`
        : "--jwks takes a file, or an https address.",
    );
  }
  const keys =
    jwks === undefined
      ? ({ kind: "discovery", uri: metadataOf({ issuer }) } as const)
      : ({ kind: "remote", uri: jwks } as const);
  const refused: string[] = [];
  const set = await fetchKeys({ issuer, keys }, env, (reasons) => refused.push(...reasons)).catch((cause) => {
    if (!(cause instanceof KeysFetchError)) throw cause;
    const instead = jwks === undefined ? " Or give its keys with --jwks: their address, or a file." : "";
    throw new Stop(`The issuer ${clean(issuer)}: ${wordsOf(cause)}.${instead}`);
  });
  const algorithms = algorithmsOf(set.keys);
  const from = jwks === undefined ? "its metadata name its keys" : "its keys were fetched";
  return {
    table: {
      issuer,
      audience,
      ...(jwks === undefined ? { discovery: true } : { jwks_uri: jwks }),
      algorithms,
    },
    files: [],
    said: [
      `The issuer ${clean(issuer)}: ${from}, ${counted(set.keys)} for ${algorithms.join(", ")}.`,
      ...refused.map((reason) => `A key is not used: ${clean(reason)}.`),
    ].join(" "),
  };
}

function fromFile(question: IssuerQuestion, path: string): FoundIssuer {
  const { issuer, audience, project } = question;
  const { text, algorithms, said } = readKeys(path);
  const name = keyFileName(question);
  return {
    table: { issuer, audience, jwks: name, algorithms },
    files: [{ path: join(project, name), text }],
    said: `${said}.`,
  };
}

/** @throws Stop if the file cannot be read, or its keys cannot be used */
function readKeys(path: string): { text: string; algorithms: Algorithm[]; said: string } {
  try {
    const text = readUserFile(path);
    const { keys } = usableKeys(parseKeySet(text)).jwks;
    const algorithms = algorithmsOf(keys);
    return { text, algorithms, said: `The file has ${counted(keys)} for ${algorithms.join(", ")}` };
  } catch (cause) {
    if (cause instanceof Stop) throw cause;
    throw new Stop(`The file of --jwks (${clean(path)}) ${(cause as Error).message}.`);
  }
}

const plainLength = 60;

/** A name that no other issuer's file has: with a part of a hash where the address is long, or the name is taken. */
function keyFileName({ issuer, env, issuers }: IssuerQuestion): string {
  const slug = issuer
    .replace(/^[a-z]+:\/\//i, "")
    .replace(/[^A-Za-z0-9.-]+/g, "-")
    .replace(/^[.-]+|[.-]+$/g, "");
  const named = (part: string) => `ca/${env}.${part}.jwks.json`;
  const plain = named(slug || "issuer");
  const isTaken = [developmentKeySet(env), ...issuers.map(({ jwks }) => jwks)].some((one) =>
    isSameFile(one, plain),
  );
  if (slug.length <= plainLength && !isTaken) return plain;
  const hash = createHash("sha256").update(issuer).digest("hex").slice(0, 8);
  return named(`${slug.slice(0, plainLength)}-${hash}`);
}

/** Some file systems do not tell capital letters from small ones. */
function isSameFile(one: unknown, other: string): boolean {
  const plain = (path: string) => posix.normalize(path).toLowerCase();
  return typeof one === "string" && plain(one) === plain(other);
}

/**
 * @param table of an issuer that the environment has
 * @param question `audience` and `jwks` are undefined where the options do not say them
 * @returns the issuer, and its file with the keys of another file
 * @throws Stop that says where to change what the table says otherwise
 */
export function knownIssuer(
  table: Keys,
  question: Pick<IssuerQuestion, "jwks" | "env" | "project" | "issuers"> & { audience: string | undefined },
): FoundIssuer {
  const { jwks, env, project, issuers } = question;
  demandAudience(table, question);
  const stop = (reason: string) => new Stop(`${placeOf(table, env)} ${reason}`);
  if (jwks === undefined || table.jwks_uri === jwks) return { table, files: [], said: undefined };
  const file = table.jwks;
  if (/^https?:\/\//i.test(jwks) || typeof file !== "string")
    throw stop("takes its keys from another place than --jwks says: change it there.");
  if (issuers.some((one) => one !== table && isSameFile(one.jwks, file)))
    throw stop(`shares ${clean(file)} with another issuer: give one of them another file there.`);
  const { text, algorithms, said } = readKeys(jwks);
  const listed = withBothNames(Array.isArray(table.algorithms) ? table.algorithms : []);
  const missing = algorithms.filter((one) => !listed.includes(one));
  if (missing.length > 0)
    throw stop(`has no ${missing.join(", ")} in its algorithms: add what the keys need.`);
  return {
    table,
    files: [{ path: join(project, file), text }],
    said: `${said}; it takes the place of ${clean(file)}.`,
  };
}

/** @throws Stop if the issuer has another audience */
export function demandAudience(
  table: Keys,
  { audience, env }: { audience: string | undefined; env: string },
): void {
  if (audience === undefined || [table.audience].flat().includes(audience)) return;
  throw new Stop(
    `${placeOf(table, env)} has the audience ${clean(String(table.audience))}: change it there, or leave --audience out.`,
  );
}

function placeOf({ issuer }: Keys, env: string): string {
  return `${projectFile}: [[env.${env}.issuers]] of ${clean(String(issuer))}`;
}

/** The project's own key: that which is there, or a new one. */
export async function ownKey({
  audience,
  env,
  project,
}: Pick<IssuerQuestion, "audience" | "env" | "project">): Promise<FoundIssuer> {
  const file = developmentKeyFile(env);
  const isThere = existsSync(file);
  const { privateKey, publicJwk } = isThere ? await readOwnKey(file) : await createSigningKey("ES256");
  const name = developmentKeySet(env);
  return {
    table: { issuer: developmentIssuer, audience, jwks: name, algorithms: ["ES256"] },
    files: [
      ...(isThere ? [] : [{ path: file, text: JSON.stringify(await exportJWK(privateKey)), mode: 0o600 }]),
      { path: join(project, name), text: `${JSON.stringify({ keys: [publicJwk] }, null, 2)}\n` },
    ],
    said: isThere
      ? `The project's own key is there already (${file}).`
      : `A key of this project signs tokens for trying: ${file}, which git ignores. With such a key nothing is deployed.`,
  };
}

async function readOwnKey(file: string) {
  return await readSigningKey(file).catch(() => {
    throw new Stop(`${file} holds no private key: remove it, and a new one is made.`);
  });
}

/** @throws Stop if no key has an algorithm that the gateway knows */
function algorithmsOf(keys: readonly Keys[]): Algorithm[] {
  const named = keys.map((key) => {
    // Either name of Ed25519 in the policy stands for both.
    if (isEd25519(key.alg)) return "EdDSA";
    // An RSA key without alg could be for more.
    return key.alg ?? (key.kty === "RSA" ? "RS256" : publicAlgorithms.find((one) => fitsAlgorithm(key, one)));
  });
  const usable = publicAlgorithms.filter((algorithm) => named.includes(algorithm));
  if (usable.length > 0) return usable;
  throw new Stop(
    `No key is for an algorithm that the gateway knows (${publicAlgorithms.join(", ")}): ${named.map((one) => clean(one ?? "none")).join(", ")}.`,
  );
}
