import type { Family } from "./attempt.ts";
import { bearing } from "./attempt.ts";
import {
  attacker,
  attackerSigner,
  goodClaims,
  issuerOf,
  kidOf,
  ownSigner,
  publicJwk,
  signer,
  tokenOf,
  withHeader,
} from "./parties.ts";

/**
 * Tokens whose header names a key's address, or how to read the rest (RFC 8725 §3.10, RFC 7515 §4.1).
 * @param url of an attacker's key server; the gateway must never ask it
 */
export function headerFamilies(url: string): Family[] {
  return [
    { family: "a key of the attacker's in the header", attempts: ownKeys(url) },
    { family: "members that change how a token is read", attempts: changesReading() },
    { family: "kid", attempts: kids(url) },
  ];
}

function ownKeys(url: string) {
  const jwks = `${url}/.well-known/jwks.json`;
  const certificate = attacker.p256.publicKey.export({ format: "der", type: "spki" }).toString("base64");
  const own = publicJwk(attacker.p256.publicKey, kidOf("ES256"));
  const places: Record<string, object> = {
    jwk: { jwk: own },
    "jwk without kid": { jwk: { ...own, kid: undefined }, kid: undefined },
    "jwk with its private part": { jwk: attacker.p256.privateKey.export({ format: "jwk" }) },
    jku: { jku: jwks },
    "jku with the issuer as its user": { jku: jwks.replace("http://", "http://issuer.test@") },
    "jku with the issuer in its fragment": { jku: `${jwks}#http://issuer.test/` },
    "jku with the issuer in its query": { jku: `${jwks}?http://issuer.test/ES256` },
    x5u: { x5u: `${url}/certificate.pem` },
    "x5u of a file": { x5u: "file:///etc/passwd" },
    x5c: { x5c: [certificate] },
    "x5c as text": { x5c: certificate },
    "x5t and x5t#S256": { x5t: "AAAA", "x5t#S256": "AAAA" },
    "all of them": { jwk: own, jku: jwks, x5u: jwks, x5c: [certificate] },
  };
  const named = Object.entries(places).flatMap(([name, members]) => [
    [`${name}, the issuer's kid`, withHeader(members, attackerSigner)],
    [`${name}, its own kid`, withHeader({ ...members, kid: "attacker" }, attackerSigner)],
  ]);
  const secret = { kty: "oct", k: Buffer.from("a secret of the attacker's own").toString("base64url") };
  return bearing("token_invalid", {
    ...Object.fromEntries(named),
    "jwk, a secret": withHeader(
      { alg: "HS256", jwk: secret },
      signer("HS256", "a secret of the attacker's own"),
    ),
    "jwk, a secret, of the issuer with a secret": tokenOf(
      { alg: "HS256", jwk: secret },
      { ...goodClaims, iss: issuerOf("HS256") },
      signer("HS256", "a secret of the attacker's own"),
    ),
  });
}

function changesReading() {
  const members: Record<string, object> = {
    "crit: b64": { crit: ["b64"], b64: false },
    "crit: exp": { crit: ["exp"] },
    "crit: an unknown name": { crit: ["http://issuer.test/unknown"], "http://issuer.test/unknown": true },
    "crit: nothing": { crit: [] },
    "crit: null": { crit: null },
    "crit as text": { crit: "exp" },
    "b64: false": { b64: false },
    "b64: true": { b64: true },
    enc: { enc: "A256GCM" },
    zip: { zip: "DEF" },
    "typ as a list": { typ: ["at+jwt"] },
    "typ: null": { typ: null },
    "cty as an object": { cty: {} },
  };
  // The issuer itself has signed these; the header members are refused.
  const signed = Object.entries(members).map(([name, more]) => [name, withHeader(more)]);
  return bearing("token_malformed", Object.fromEntries(signed));
}

function kids(url: string) {
  const texts = [
    "",
    " ",
    "0",
    "null",
    "undefined",
    "__proto__",
    "constructor",
    "toString",
    "*",
    ".*",
    "key-of-ES256 ",
    "KEY-OF-ES256",
    "key-of-ES256\0",
    "../key-of-ES256",
    "../../../../../../dev/null",
    "..\\..\\windows\\win.ini",
    "/dev/null",
    "file:///dev/null",
    `${url}/.well-known/jwks.json`,
    "' OR '1'='1",
    "x' UNION SELECT 'AAAA' -- ",
    "1; DROP TABLE notes",
    "$(sleep 5)",
    "`sleep 5`",
    "| cat /etc/passwd",
    "<script>alert(1)</script>",
    "%00",
    "%2e%2e%2f",
    "{{7*7}}",
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is what an attacker would write
    "${jndi:ldap://127.0.0.1/a}",
    "ключ",
    "x".repeat(4_000),
  ];
  const forged = texts.map((kid) => [
    `forged, ${JSON.stringify(kid).slice(0, 40)}`,
    withHeader({ kid }, attackerSigner),
  ]);
  // The issuer itself has signed these, but the kid names none of its keys.
  const unknown = texts.map((kid) => [`signed, ${JSON.stringify(kid).slice(0, 40)}`, withHeader({ kid })]);
  const others = (["RS256", "ES384", "EdDSA", "HS256"] as const).map((algorithm) => [
    `of ${algorithm}'s issuer, signed by that`,
    tokenOf({ alg: algorithm, kid: kidOf(algorithm) }, goodClaims, ownSigner(algorithm)),
  ]);
  const wrong = [1, 0, null, true, [kidOf("ES256")], { kid: kidOf("ES256") }];
  return [
    ...bearing("token_invalid", Object.fromEntries([...forged, ...unknown, ...others])),
    ...bearing(
      "token_malformed",
      Object.fromEntries(wrong.map((kid) => [JSON.stringify(kid), withHeader({ kid })])),
    ),
  ];
}
