import { audience } from "../../support/harness.ts";
import type { Family } from "./attempt.ts";
import { bearing } from "./attempt.ts";
import {
  attackerSigner,
  goodClaims,
  goodHeader,
  issuerOf,
  main,
  nowSeconds,
  ownSigner,
  strict,
  tokenOf,
  withClaims,
} from "./parties.ts";

/**
 * Tokens with the issuer's own signature and invalid claims (RFC 7519 §4.1, RFC 8725 §3.8, §3.9, §3.11,
 * §3.12).
 * @param url of an attacker's key server, which claims to be an issuer
 */
export function claimFamilies(url: string): Family[] {
  return [
    { family: "exp, nbf and iat", attempts: times() },
    { family: "iss", attempts: issuers(url) },
    { family: "aud", attempts: audiences() },
    { family: "claims of the wrong type", attempts: types() },
    { family: "what a strict issuer demands", attempts: demanded() },
  ];
}

/** A number that JSON can write but JavaScript cannot: it becomes Infinity. */
const withRaw = (name: string, text: string) =>
  tokenOf(
    goodHeader,
    `${JSON.stringify({ ...goodClaims, [name]: undefined }).slice(0, -1)},"${name}":${text}}`,
  );

function times() {
  const wrong = [
    '"4000000000"',
    '"tomorrow"',
    "null",
    "true",
    "[4000000000]",
    "{}",
    '""',
    "1e400",
    "-1e400",
    `1${"0".repeat(400)}`,
  ];
  const malformed = ["exp", "nbf", "iat"].flatMap((name) =>
    wrong.map((text) => [`${name}: ${text.slice(0, 20)}`, withRaw(name, text)]),
  );
  const expired = [nowSeconds - 31, nowSeconds - 86_400, 1, 0, -1, -1e300, 0.5, nowSeconds * -1];
  return [
    ...bearing("token_malformed", Object.fromEntries(malformed)),
    ...bearing(
      "token_expired",
      Object.fromEntries(expired.map((exp) => [`exp: ${exp}`, withClaims({ exp })])),
    ),
    ...bearing("token_invalid", {
      "no exp": withClaims({ exp: undefined }),
      "EXP instead": withClaims({ exp: undefined, EXP: goodClaims.exp }),
      "exp in __proto__": tokenOf(
        goodHeader,
        `${JSON.stringify({ ...goodClaims, exp: undefined }).slice(0, -1)},"__proto__":{"exp":4000000000}}`,
      ),
      "nbf in two minutes": withClaims({ nbf: nowSeconds + 120 }),
      "nbf in a thousand years": withClaims({ nbf: nowSeconds + 3e10 }),
      "nbf: 1e300": withRaw("nbf", "1e300"),
      "iat in two minutes": withClaims({ iat: nowSeconds + 120 }),
      "iat: 1e300": withRaw("iat", "1e300"),
      "milliseconds instead of seconds in nbf": withClaims({ nbf: Date.now() }),
    }),
  ];
}

function issuers(url: string) {
  const unknown = [
    `${main}/`,
    `${main}#`,
    `${main}?`,
    ` ${main}`,
    `${main} `,
    `${main}\0`,
    main.toUpperCase(),
    main.replace("http:", "HTTP:"),
    main.replace("http:", "https:"),
    main.replace("issuer.test", "ISSUER.test"),
    main.replace("issuer.test", "issuer.test:80"),
    main.replace("issuer.test", "user@issuer.test"),
    main.replace("/ES256", "/./ES256"),
    main.replace("ES256", "%45S256"),
    main.replace("issuer", "issuеr"),
    main.replace("ES256", "ＥＳ256"),
    "ES256",
    "",
    "*",
    "__proto__",
    "constructor",
    url,
    `${url}/`,
    "file:///etc/passwd",
    "http://169.254.169.254/latest/meta-data",
  ];
  const malformed = [null, 1, true, [main], { iss: main }];
  const others = ["RS256", "PS512", "ES384", "EdDSA", "HS256"] as const;
  return [
    ...bearing("issuer_unknown", {
      ...Object.fromEntries(unknown.map((iss) => [JSON.stringify(iss), withClaims({ iss })])),
      none: withClaims({ iss: undefined }),
      "in the header": tokenOf({ ...goodHeader, iss: main }, { ...goodClaims, iss: undefined }),
      "the attacker's, with its own key": withClaims({ iss: url }, attackerSigner),
    }),
    ...bearing(
      "token_malformed",
      Object.fromEntries(malformed.map((iss) => [JSON.stringify(iss), withClaims({ iss })])),
    ),
    ...bearing("token_invalid", {
      ...Object.fromEntries(
        others.map((other) => [`${other}'s name, this issuer's key`, withClaims({ iss: issuerOf(other) })]),
      ),
      ...Object.fromEntries(
        others.map((other) => [
          `this issuer's name, ${other}'s key`,
          tokenOf({ alg: other }, goodClaims, ownSigner(other)),
        ]),
      ),
    }),
  ];
}

function audiences() {
  const wrong = [
    "",
    " ",
    "other",
    "Tidegate",
    "TIDEGATE",
    `${audience} `,
    ` ${audience}`,
    `${audience}/`,
    `${audience}\0`,
    `${audience},other`,
    `${audience} other`,
    "tide",
    "*",
    "tidegatе",
    [],
    [""],
    ["other"],
    ["other", "Tidegate"],
    [`${audience} `],
    [`other,${audience}`],
  ];
  const malformed = [
    1,
    true,
    [1],
    [null],
    [audience, 1],
    [[audience]],
    [{ aud: audience }],
    { 0: audience },
    {},
  ];
  const named = (values: unknown[]) =>
    Object.fromEntries(values.map((aud) => [JSON.stringify(aud), withClaims({ aud })]));
  return [
    ...bearing("token_invalid", {
      ...named([...wrong, null]),
      none: withClaims({ aud: undefined }),
      "audience instead": withClaims({ aud: undefined, audience }),
    }),
    ...bearing("token_malformed", named(malformed)),
  ];
}

function types() {
  const names = ["sub", "jti", "azp", "client_id"];
  const wrong = [1, null, true, ["somebody"], { id: 1 }];
  const tokens = names.flatMap((name) =>
    wrong.map((value) => [`${name}: ${JSON.stringify(value)}`, withClaims({ [name]: value })]),
  );
  return bearing("token_malformed", Object.fromEntries(tokens));
}

function demanded() {
  const good = { ...goodClaims, iss: strict, exp: nowSeconds + 300, jti: "1", client_id: "web" };
  const header = { ...goodHeader, typ: "at+jwt" };
  const but = (members: object, typ?: unknown) =>
    tokenOf(typ === undefined ? header : { ...header, typ }, { ...good, ...members });
  return bearing("token_invalid", {
    "no typ": tokenOf(goodHeader, good),
    "typ JWT": but({}, "JWT"),
    "typ dpop+jwt": but({}, "dpop+jwt"),
    "typ with a space": but({}, "at+jwt "),
    "typ of another tree": but({}, "text/at+jwt"),
    "typ empty": but({}, ""),
    "a life of a second too much": but({ exp: nowSeconds + 601 }),
    "a long life that began long ago": but({ iat: nowSeconds - 3600 }),
    "no end that anybody lives to see": but({ exp: 1e300 }),
    "no iat": but({ iat: undefined }),
    "iat in the future": but({ iat: nowSeconds + 120, exp: nowSeconds + 300 }),
    "no claim that is required": but({ jti: undefined }),
    "no client": but({ client_id: undefined }),
    "another client": but({ client_id: "other" }),
    "a client in another case": but({ client_id: "Web" }),
    "another azp": but({ azp: "other" }),
    "another azp alone": but({ azp: "other", client_id: undefined }),
    "a token of the main issuer's, renamed": tokenOf(goodHeader, { ...goodClaims, iss: strict }),
  });
}
