import { createHmac, randomBytes } from "node:crypto";
import { sharedSecret } from "../../support/harness.ts";
import type { Family } from "./attempt.ts";
import { bearing } from "./attempt.ts";
import type { Signer } from "./parties.ts";
import {
  algorithms,
  attacker,
  attackerSigner,
  bothCurves,
  bothPaddings,
  encode,
  goodClaims,
  goodHeader,
  issuerOf,
  keysOf,
  kidOf,
  ownSigner,
  p256,
  p384,
  publicJwk,
  rsaAlgorithms,
  signer,
  tokenOf,
  withHeader,
} from "./parties.ts";

/** Tokens with a false algorithm in their header (RFC 8725 §2.1, §3.1, §3.2). */
export function algorithmFamilies(): Family[] {
  return [
    { family: "alg none", attempts: none() },
    { family: "a public key as a secret", attempts: publicKeyAsSecret() },
    { family: "a secret that is not the issuer's", attempts: wrongSecret() },
    { family: "an algorithm that is not on the issuer's list", attempts: notOnTheList() },
    { family: "an algorithm and a key that do not fit", attempts: doesNotFit() },
  ];
}

function none() {
  const spellings = [
    "none",
    "None",
    "NONE",
    "nOnE",
    "none ",
    " none",
    "null",
    "",
    "plain",
    "HS0",
    "nоne",
    "none\0",
  ];
  const tokens = spellings.flatMap((alg) => [
    // The issuer itself has signed these; they are refused for the header alone.
    [`${JSON.stringify(alg)}, signed`, withHeader({ alg })],
    [`${JSON.stringify(alg)}, two letters`, tokenOf({ alg }, goodClaims, () => Buffer.alloc(1))],
  ]);
  const input = `${encode({ alg: "none" })}.${encode(goodClaims)}`;
  return [
    ...bearing("token_invalid", Object.fromEntries(tokens)),
    ...bearing("token_invalid", {
      "written with an escape": tokenOf('{"alg":"n\\u006fne"}', goodClaims),
      "in every algorithm's place": tokenOf({ alg: "none", typ: "JWT", kid: kidOf("HS256") }),
    }),
    ...bearing("token_malformed", {
      "an empty signature": `${input}.`,
      "no signature": input,
      "alg is null": withHeader({ alg: null }),
      "alg is a list": withHeader({ alg: ["ES256"] }),
      "alg is an object": withHeader({ alg: { name: "ES256" } }),
      "alg is a number": withHeader({ alg: 256 }),
      "alg is true": withHeader({ alg: true }),
      "no alg": withHeader({ alg: undefined }),
      "ALG instead": tokenOf({ ALG: "ES256" }),
    }),
  ];
}

/** The forms of a public key that a careless verifier could use as an HMAC secret. */
function publicKeyAsSecret() {
  const tokens = algorithms.flatMap((algorithm) => {
    if (algorithm === "HS256") return [];
    const { publicKey } = keysOf(algorithm);
    const pem = String(publicKey.export({ format: "pem", type: "spki" }));
    const der = publicKey.export({ format: "der", type: "spki" });
    const secrets: Record<string, string | Buffer> = {
      PEM: pem,
      "PEM without its last line break": pem.trimEnd(),
      "PEM in one line": pem.replaceAll("\n", ""),
      DER: der,
      "DER in base64": der.toString("base64"),
      JWK: JSON.stringify(publicJwk(publicKey, kidOf(algorithm))),
      nothing: "",
      "its kid": kidOf(algorithm),
    };
    const claims = { ...goodClaims, iss: issuerOf(algorithm) };
    return Object.entries(secrets).map(([name, secret]) => [
      `${algorithm}: ${name}`,
      tokenOf({ alg: "HS256", kid: kidOf(algorithm) }, claims, signer("HS256", secret)),
    ]);
  });
  return bearing("token_invalid", Object.fromEntries(tokens));
}

function wrongSecret() {
  const claims = { ...goodClaims, iss: issuerOf("HS256") };
  const secrets: Record<string, string | Buffer> = {
    nothing: "",
    "a zero byte": "\0",
    secret: "secret",
    "31 bytes of it": sharedSecret.slice(0, 31),
    "its name": "SHARED_SECRET",
    "with a line break": `${sharedSecret}\n`,
    "in capitals": sharedSecret.toUpperCase(),
    "in base64": Buffer.from(sharedSecret).toString("base64"),
    "in hex": Buffer.from(sharedSecret).toString("hex"),
    "its SHA-256": createHmac("sha256", "").update(sharedSecret).digest(),
    "random bytes": randomBytes(32),
  };
  const forged = Object.entries(secrets).map(([name, secret]) => [
    name,
    tokenOf({ alg: "HS256" }, claims, signer("HS256", secret)),
  ]);
  const hmac =
    (hash: string): Signer =>
    (input) =>
      createHmac(hash, sharedSecret).update(input).digest();
  return bearing("token_invalid", {
    ...Object.fromEntries(forged),
    "the right one with HS384": tokenOf({ alg: "HS384" }, claims, hmac("sha384")),
    "the right one with HS512": tokenOf({ alg: "HS512" }, claims, hmac("sha512")),
    "the right one called hs256": tokenOf({ alg: "hs256" }, claims, ownSigner("HS256")),
    "HS384 called HS256": tokenOf({ alg: "HS256" }, claims, hmac("sha384")),
    "half of the right signature": tokenOf({ alg: "HS256" }, claims, (i) =>
      ownSigner("HS256")(i).subarray(0, 16),
    ),
    "a public key's algorithm": tokenOf({ alg: "ES256" }, claims, attackerSigner),
  });
}

function notOnTheList() {
  // Each has a correct signature by the issuer's own key.
  const others = rsaAlgorithms.flatMap((own) =>
    rsaAlgorithms
      .filter((alg) => alg !== own)
      .map((alg) => [
        `${own} expected, ${alg}`,
        tokenOf({ alg }, { ...goodClaims, iss: issuerOf(own) }, ownSigner(alg)),
      ]),
  );
  const names = [
    "es256",
    "Es256",
    "ES256 ",
    "ES256K",
    "ES384",
    "ES512",
    "ECDSA",
    "RS256",
    "HS256",
    "EdDSA",
    "Ed25519",
    "A128KW",
    "dir",
  ];
  return bearing("token_invalid", {
    ...Object.fromEntries(others),
    ...Object.fromEntries(names.map((alg) => [`ES256 expected, ${alg}`, withHeader({ alg })])),
    "EdDSA expected, Ed448": tokenOf(
      { alg: "Ed448" },
      { ...goodClaims, iss: issuerOf("EdDSA") },
      ownSigner("EdDSA"),
    ),
  });
}

function doesNotFit() {
  const padded = { ...goodClaims, iss: bothPaddings };
  const curved = { ...goodClaims, iss: bothCurves };
  const tokens = {
    "PKCS #1 called PS256": tokenOf({ alg: "PS256" }, padded, ownSigner("RS256")),
    "PSS called RS256": tokenOf({ alg: "RS256" }, padded, ownSigner("PS256")),
    "PKCS #1 with SHA-384 called RS256": tokenOf({ alg: "RS256" }, padded, ownSigner("RS384")),
    "PSS with SHA-512 called PS256": tokenOf({ alg: "PS256" }, padded, ownSigner("PS512")),
    "P-384 called ES256": tokenOf({ alg: "ES256" }, curved, ownSigner("ES384")),
    "P-256 called ES384": tokenOf({ alg: "ES384" }, curved, ownSigner("ES256")),
    "P-384 with SHA-256": tokenOf({ alg: "ES384" }, curved, signer("ES256", p384.privateKey)),
    "P-256 with SHA-384": tokenOf({ alg: "ES256" }, curved, signer("ES384", p256.privateKey)),
    "ES256 with the kid of P-384": tokenOf({ alg: "ES256", kid: kidOf("ES384") }, curved, ownSigner("ES256")),
    "ES384 with the kid of P-256": tokenOf({ alg: "ES384", kid: kidOf("ES256") }, curved, ownSigner("ES384")),
  };
  const strangers = {
    "an attacker's RSA": tokenOf({ alg: "RS256" }, padded, signer("RS256", attacker.rsa.privateKey)),
    "an attacker's P-256": tokenOf(goodHeader, goodClaims, attackerSigner),
    "an attacker's Ed25519": tokenOf(
      { alg: "EdDSA" },
      { ...goodClaims, iss: issuerOf("EdDSA") },
      signer("EdDSA", attacker.ed25519.privateKey),
    ),
  };
  return bearing("token_invalid", { ...tokens, ...strangers });
}
