import { audience } from "../../support/harness.ts";
import type { Attempt } from "./attempt.ts";
import { bearing, presenting } from "./attempt.ts";
import {
  algorithms,
  bothCurves,
  bothPaddings,
  brief,
  byClient,
  goodClaims,
  goodHeader,
  inText,
  issuerOf,
  kidOf,
  lengthy,
  nowSeconds,
  ownSigner,
  scoped,
  several,
  strict,
  tokenOf,
  withClaims,
  withHeader,
} from "./parties.ts";

/**
 * Tokens that must be accepted. Without them, a gateway that refuses everything would pass. One of them is
 * about to expire, so they are made just before they are sent.
 */
export function goodAttempts(): Attempt[] {
  return [
    ...ofEachAlgorithm(),
    ...ofTheMainIssuer(),
    ...ofOtherIssuers(),
    ...ofFurtherPolicies(),
    ...presented(),
  ];
}

function ofEachAlgorithm(): Attempt[] {
  return algorithms.flatMap((alg) => {
    const claims = { ...goodClaims, iss: issuerOf(alg) };
    const make = (header: object, members: object) =>
      tokenOf({ alg, ...header }, { ...claims, ...members }, ownSigner(alg));
    return bearing(undefined, {
      [`${alg}, aud as text`]: make({ kid: kidOf(alg) }, {}),
      [`${alg}, aud as a list, without kid`]: make({}, { aud: ["other", audience] }),
      [`${alg}, with typ, nbf and azp`]: make({ typ: "at+jwt" }, { nbf: nowSeconds, azp: "web" }),
    });
  });
}

function ofTheMainIssuer(): Attempt[] {
  const long = withClaims({ pad: "" });
  // Three bytes are four letters. Letters of the signature's own length fill the rest.
  const padding = "x".repeat(Math.floor(((8192 - long.length) * 3) / 4));
  return bearing(undefined, {
    "without kid": tokenOf({ alg: "ES256" }),
    "typ JWT": withHeader({ typ: "JWT" }),
    "typ in full": withHeader({ typ: "application/at+jwt" }),
    "further members of the header": withHeader({ "x-foo": 1, cty: "", x5t: "abc" }),
    "a jku that nobody looks at": withHeader({ jku: "http://127.0.0.1:1/jwks.json" }),
    "without iat": withClaims({ iat: undefined }),
    "without sub": withClaims({ sub: undefined }),
    "with client_id and jti": withClaims({ client_id: "web", jti: "1" }),
    "times with fractions": withClaims({
      exp: nowSeconds + 60.5,
      nbf: nowSeconds - 0.5,
      iat: nowSeconds - 0.25,
    }),
    "exp 5 s ago": withClaims({ exp: Math.floor(Date.now() / 1000) - 5 }),
    "nbf in 20 s": withClaims({ nbf: nowSeconds + 20 }),
    "iat in 20 s": withClaims({ iat: nowSeconds + 20 }),
    "nbf and iat long ago": withClaims({ nbf: 0, iat: -1 }),
    "letters beyond ASCII": withClaims({ name: "Žofie 🦀 ̈" }),
    "white space in the JSON": tokenOf(' { "alg" : "ES256" }\n', JSON.stringify(goodClaims, null, 4)),
    "claims in objects and lists": withClaims({ a: { b: [{ c: null }, true, 1e10] } }),
    "one name on two levels": withClaims({ a: { iss: "x", exp: "y" } }),
    "nested 200 deep": withClaims({ deep: JSON.parse("[".repeat(200) + "]".repeat(200)) }),
    "as long as a token may be": withClaims({ pad: padding }),
  });
}

function ofOtherIssuers(): Attempt[] {
  const at = (iss: string) => ({ ...goodClaims, iss });
  const demanded = { ...at(strict), exp: nowSeconds + 300, jti: "1", client_id: "web" };
  const strictHeader = { ...goodHeader, typ: "at+jwt" };
  return bearing(undefined, {
    "both paddings, PKCS #1": tokenOf({ alg: "RS256" }, at(bothPaddings), ownSigner("RS256")),
    "both paddings, PSS": tokenOf({ alg: "PS256" }, at(bothPaddings), ownSigner("PS256")),
    "both curves, P-256": tokenOf({ alg: "ES256" }, at(bothCurves), ownSigner("ES256")),
    "both curves, P-384": tokenOf({ alg: "ES384" }, at(bothCurves), ownSigner("ES384")),
    "all that is demanded": tokenOf(strictHeader, demanded),
    "all that is demanded, azp too": tokenOf(strictHeader, { ...demanded, azp: "web" }),
    "all that is demanded, typ in another case": tokenOf({ ...strictHeader, typ: "AT+JWT" }, demanded),
    "the longest life": tokenOf(strictHeader, { ...demanded, exp: nowSeconds + 600 }),
  });
}

function ofFurtherPolicies(): Attempt[] {
  const of = (iss: string, members: object) => tokenOf(goodHeader, { ...goodClaims, iss, ...members });
  const padded = (iss: string, length: number) => {
    const bare = of(iss, { pad: "" }).length;
    return of(iss, { pad: "x".repeat(Math.floor(((length - bare) * 3) / 4)) });
  };
  const wanted = { scope: "openid sql:read", "a:b/c-d.e": 7, orgs: { id: "north", admin: true } };
  return bearing(undefined, {
    "EdDSA called Ed25519": tokenOf(
      { alg: "Ed25519" },
      { ...goodClaims, iss: issuerOf("EdDSA") },
      ownSigner("EdDSA"),
    ),
    "Ed25519 called EdDSA": tokenOf(
      { alg: "EdDSA" },
      { ...goodClaims, iss: issuerOf("Ed25519") },
      ownSigner("EdDSA"),
    ),
    "one of several audiences": of(several, {}),
    "the other of several audiences": of(several, { aud: ["x", "https://gateway.example.com"] }),
    "client_id in place of aud": of(byClient, { aud: undefined, client_id: "app-1" }),
    "client_id beside aud": of(byClient, { aud: ["app-1"], client_id: "app-1" }),
    "JSON in a text": of(inText, { data: '{"a":[1]}' }),
    "JSON that is not in a text": of(inText, { data: { a: [1] } }),
    "no claim that could be JSON": of(inText, {}),
    "as long as a short issuer's may be": padded(brief, 1024),
    "as long as any may be": padded(lengthy, 65_536),
    "the last second of the year 2199": of(several, { exp: 7_258_118_399 }),
    "scopes in one text": of(scoped, wanted),
    "scopes in a list": of(scoped, { ...wanted, scope: undefined, scp: ["sql:read", "openid", "x"] }),
    "one of several organizations": of(scoped, { ...wanted, orgs: [{ id: "south" }, wanted.orgs] }),
  });
}

function presented(): Attempt[] {
  const token = tokenOf();
  return presenting(undefined, {
    "in lower case": `bearer ${token}`,
    "in capitals": `BEARER ${token}`,
    "after two spaces": `Bearer  ${token}`,
  });
}
