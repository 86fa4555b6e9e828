import { sign } from "node:crypto";
import { audience } from "../../support/harness.ts";
import type { Family } from "./attempt.ts";
import { bearing } from "./attempt.ts";
import type { Signer } from "./parties.ts";
import {
  attacker,
  brief,
  byClient,
  ed25519,
  goodClaims,
  goodHeader,
  inText,
  issuerOf,
  kidOf,
  lengthy,
  nowSeconds,
  ownSigner,
  p521,
  scoped,
  several,
  signer,
  tokenOf,
} from "./parties.ts";

/** Tokens that miss what a policy can say of an issuer and of a grant, each time by a little. */
export function policyFamilies(): Family[] {
  return [
    { family: "signatures of ES512", attempts: es512() },
    { family: "the names of Ed25519", attempts: ed25519Names() },
    { family: "one of several audiences", attempts: audiences() },
    { family: "the claim that stands for aud", attempts: audienceClaims() },
    { family: "JSON in a claim", attempts: jsonClaims() },
    { family: "longer than the issuer lets them be", attempts: lengths() },
    { family: "times in other units than seconds", attempts: milliseconds() },
    { family: "scopes that the grant wants", attempts: scopes() },
    { family: "claims that the grant wants", attempts: claims() },
  ];
}

const of = (iss: string, members: object) => tokenOf(goodHeader, { ...goodClaims, iss, ...members });

/** @returns tokens of the issuer with each of these values in one claim */
function each(iss: string, name: string, values: readonly unknown[], more: object = {}) {
  return Object.fromEntries(
    values.map((value) => [
      `${name}: ${JSON.stringify(value)?.slice(0, 50)}`,
      of(iss, { ...more, [name]: value }),
    ]),
  );
}

/** The order of P-521, and its field's size. */
const n = BigInt(
  "0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
);
const p = 2n ** 521n - 1n;
const bytes66 = (value: bigint) => Buffer.from(value.toString(16).padStart(132, "0"), "hex");
const numberOf = (bytes: Buffer) => BigInt(`0x${bytes.toString("hex")}`);

/** Kinds of Project Wycheproof's ECDSA vectors, on a curve whose numbers fill no whole byte. */
function es512() {
  const own = ownSigner("ES512");
  const header = { alg: "ES512", kid: kidOf("ES512") };
  const members = { ...goodClaims, iss: issuerOf("ES512") };
  const signed = (by: Signer, changes: object = {}) => tokenOf({ ...header, ...changes }, members, by);
  const changed = (change: (r: Buffer, s: Buffer) => Buffer[]) =>
    signed((input) => {
      const signature = own(input);
      return Buffer.concat(change(signature.subarray(0, 66), signature.subarray(66)));
    });
  const values = { zero: 0n, one: 1n, "n - 1": n - 1n, n, "n + 1": n + 1n, p, "2^528 - 1": 2n ** 528n - 1n };
  const pairs = Object.entries(values).flatMap(([r, first]) =>
    Object.entries(values).map(([s, second]) => [
      `r is ${r}, s is ${s}`,
      signed(() => Buffer.concat([bytes66(first), bytes66(second)])),
    ]),
  );
  const cut = [0, 1, 64, 65, 66, 96, 128, 130, 131].map((length) => [
    `${length} bytes of it`,
    signed((input) => (length === 0 ? Buffer.alloc(1) : own(input).subarray(0, length))),
  ]);
  return bearing("token_invalid", {
    ...Object.fromEntries([...pairs, ...cut]),
    "r is zero": changed((_, s) => [bytes66(0n), s]),
    "s is zero": changed((r) => [r, bytes66(0n)]),
    "n added to s": changed((r, s) => [r, bytes66(numberOf(s) + n)]),
    "n added to r": changed((r, s) => [bytes66(numberOf(r) + n), s]),
    "r and s swapped": changed((r, s) => [s, r]),
    "s negated modulo the field": changed((r, s) => [r, bytes66(p - numberOf(s))]),
    "a byte after it": changed((r, s) => [r, s, Buffer.alloc(1)]),
    "a byte before each number": changed((r, s) => [Buffer.alloc(1), r, Buffer.alloc(1), s]),
    "65 bytes for each number": changed((r, s) => [r.subarray(1), s.subarray(1)]),
    "in DER": signed((input) => sign("sha512", input, p521.privateKey)),
    "of SHA-256": signed(signer("ES256", p521.privateKey)),
    "of SHA-384": signed(signer("ES384", p521.privateKey)),
    "of P-256": signed(ownSigner("ES256")),
    "of P-384": signed(ownSigner("ES384")),
    "an attacker's": signed(signer("ES512", attacker.p521.privateKey)),
    "called ES256": signed(own, { alg: "ES256" }),
    "called ES384": signed(own, { alg: "ES384" }),
    "called es512": signed(own, { alg: "es512" }),
    "called ES521": signed(own, { alg: "ES521" }),
    "called RS512": signed(own, { alg: "RS512" }),
    "called Ed25519": signed(own, { alg: "Ed25519" }),
  });
}

function ed25519Names() {
  const own = ownSigner("Ed25519");
  const named = (iss: string, alg: string, by = own) => tokenOf({ alg }, { ...goodClaims, iss }, by);
  const issuers = [issuerOf("EdDSA"), issuerOf("Ed25519")];
  const names = [
    "ed25519",
    "ED25519",
    "eddsa",
    "EDDSA",
    "Ed448",
    "Ed25519 ",
    " EdDSA",
    "Ed25519ph",
    "ESDSA",
    "X25519",
  ];
  const misnamed = issuers.flatMap((iss) => names.map((alg) => [`${iss}, ${alg}`, named(iss, alg)]));
  const forged = issuers.flatMap((iss) =>
    ["EdDSA", "Ed25519"].flatMap((alg) => [
      [`${iss}, ${alg}: an attacker's`, named(iss, alg, signer("EdDSA", attacker.ed25519.privateKey))],
      [`${iss}, ${alg}: of P-256`, named(iss, alg, ownSigner("ES256"))],
      [`${iss}, ${alg}: zeros`, named(iss, alg, () => Buffer.alloc(64))],
      [
        `${iss}, ${alg}: S is zero`,
        named(iss, alg, (input) => Buffer.concat([own(input).subarray(0, 32), Buffer.alloc(32)])),
      ],
      [
        `${iss}, ${alg}: R is zero`,
        named(iss, alg, (input) => Buffer.concat([Buffer.alloc(32), own(input).subarray(32)])),
      ],
      [`${iss}, ${alg}: 32 bytes`, named(iss, alg, (input) => own(input).subarray(0, 32))],
      [
        `${iss}, ${alg}: 114 bytes, as of Ed448`,
        named(iss, alg, (input) => Buffer.concat([own(input), Buffer.alloc(50)])),
      ],
      [
        `${iss}, ${alg}: of other claims`,
        named(iss, alg, () => sign(null, Buffer.from("other"), ed25519.privateKey)),
      ],
    ]),
  );
  return bearing("token_invalid", Object.fromEntries([...misnamed, ...forged]));
}

function audiences() {
  const second = "https://gateway.example.com";
  const wrong = [
    `${second}/`,
    second.toUpperCase(),
    second.replace("https", "http"),
    `${audience},${second}`,
    `${audience} ${second}`,
    [`${audience} ${second}`],
    [],
    "",
    null,
    undefined,
  ];
  return [
    ...bearing("token_invalid", each(several, "aud", wrong)),
    ...bearing(
      "token_malformed",
      each(several, "aud", [[[audience, second]], { 0: audience }, [audience, 1], 0]),
    ),
  ];
}

function audienceClaims() {
  const bare = { aud: undefined };
  return [
    ...bearing("token_invalid", {
      ...each(
        byClient,
        "client_id",
        ["app-2", "APP-1", "app-1 ", " app-1", "app-", "", "app-1,app-1", undefined],
        bare,
      ),
      // Neither the right audience nor the claim alone is enough where both are there.
      ...each(byClient, "aud", [audience, "app-2", ["app-2"], [], "", null], { client_id: "app-1" }),
      "the right aud and no client_id": of(byClient, { aud: "app-1" }),
      "the right aud and another client_id": of(byClient, { aud: "app-1", client_id: "app-2" }),
      "azp in its place": of(byClient, { ...bare, azp: "app-1" }),
      "in another case": of(byClient, { ...bare, Client_Id: "app-1", CLIENT_ID: "app-1" }),
      "client_id at an issuer with aud": of(several, { ...bare, client_id: audience }),
    }),
    ...bearing(
      "token_malformed",
      each(byClient, "client_id", [["app-1"], 1, true, null, { id: "app-1" }, [["app-1"]]], bare),
    ),
  ];
}

function jsonClaims() {
  const texts = [
    "",
    " ",
    "{",
    '{"a":1',
    '{"a":1}}',
    '{"a":1,}',
    "{'a':1}",
    '{"a":1,"a":2}',
    '{"a":{"b":1,"\\u0062":2}}',
    "undefined",
    "NaN",
    "01",
    '"a',
    "{}{}",
    "\uFEFF{}",
    "[1,]",
    "/* */{}",
    "analyst",
    Buffer.from("{}").toString("base64"),
  ];
  return bearing("token_invalid", each(inText, "data", texts));
}

function lengths() {
  const padded = (iss: string, length: number) => {
    const bare = of(iss, { pad: "" }).length;
    return of(iss, { pad: "x".repeat(Math.ceil(((length - bare) * 3) / 4)) });
  };
  return bearing("token_malformed", {
    "a little longer than the shortest bound": padded(brief, 1025),
    "twice the shortest bound": padded(brief, 2048),
    "as long as another issuer's may be": padded(brief, 8192),
    "longer than usual": padded(several, 8193),
    "as long as the longest bound, of an issuer without one": padded(several, 65_000),
    "a little longer than the longest bound": padded(lengthy, 65_537),
  });
}

function milliseconds() {
  const late = [7_258_118_401, nowSeconds * 1000, nowSeconds * 1e6, nowSeconds * 1e9, 2 ** 53, 1e300];
  return bearing("token_invalid", {
    ...each(several, "exp", late),
    ...each(several, "nbf", late),
    ...each(several, "iat", late),
  });
}

const wanted = { scope: "openid sql:read", "a:b/c-d.e": 7, orgs: { id: "north", admin: true } };

function scopes() {
  const wrong = [
    "sql:read",
    "openid",
    "openid sql:read-all",
    "openid xsql:read",
    "openid SQL:READ",
    "openid Sql:read",
    "openid,sql:read",
    "openid;sql:read",
    "openid+sql:read",
    "openid%20sql:read",
    "openid\u00a0sql:read",
    "openid sql:reаd",
    "openid sql:read\0",
    "openid sql:*",
    "*",
    "",
    ["openid", "sql:read-all"],
    ["openid sql:read"],
    ["openid", "SQL:READ"],
    [],
    [["openid", "sql:read"]],
    [{ openid: true, "sql:read": true }],
    { openid: true, "sql:read": true },
    1,
    true,
    null,
    undefined,
  ];
  return bearing("access_denied", {
    ...each(scoped, "scope", wrong, wanted),
    "in scopes": of(scoped, { ...wanted, scope: undefined, scopes: wanted.scope }),
    "in Scope": of(scoped, { ...wanted, scope: undefined, Scope: wanted.scope }),
  });
}

function claims() {
  const numbers = [
    8,
    7.5,
    -7,
    "7",
    " 7",
    "7.0",
    "0x7",
    true,
    null,
    undefined,
    {},
    [],
    ["7"],
    [[7]],
    [8],
    2 ** 53 + 7,
  ];
  const organizations = [
    undefined,
    null,
    [],
    {},
    "north",
    ["north", true],
    JSON.stringify(wanted.orgs),
    [JSON.stringify(wanted.orgs)],
    { id: "north" },
    { admin: true },
    { id: "North", admin: true },
    { id: "north", admin: "true" },
    { id: "north", admin: 1 },
    // One object must fit the whole table.
    [
      { id: "north", admin: false },
      { id: "south", admin: true },
    ],
    [{ id: "north" }, { admin: true }],
    [[wanted.orgs]],
    { north: wanted.orgs },
    { 0: wanted.orgs },
  ];
  const more = { ...wanted, "a:b/c-d.e": undefined };
  return bearing("access_denied", {
    ...each(scoped, "a:b/c-d.e", numbers, wanted),
    ...each(scoped, "orgs", organizations, wanted),
    "a name as a path": of(scoped, { ...more, a: { "b/c-d": { e: 7 } }, "a:b/c-d": { e: 7 } }),
    "a name in another case": of(scoped, { ...more, "A:B/C-D.E": 7 }),
    "a name with a space": of(scoped, { ...more, "a:b/c-d.e ": 7 }),
  });
}
