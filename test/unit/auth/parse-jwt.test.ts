import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseJwt } from "../../../src/auth/parse-jwt.ts";
import { limits } from "../../../src/limits.ts";
import { refusal } from "./refusal.ts";

const header = '{"alg":"ES256"}';
const claims = '{"iss":"https://a.example.com/","aud":"tidegate","exp":4000000000}';

function base64url(value: string | Uint8Array): string {
  return Buffer.from(value as string).toString("base64url");
}

/** A token with these JSON texts. Its signature is not real, because parse-jwt.ts does not verify it. */
function tokenOf(parts: { header?: string | Uint8Array; claims?: string | Uint8Array; signature?: string }) {
  return [
    base64url(parts.header ?? header),
    base64url(parts.claims ?? claims),
    parts.signature ?? "AAAA",
  ].join(".");
}

/** The valid header or the valid claims with more members, as JSON text. */
const withHeader = (members: string) => tokenOf({ header: `{"alg":"ES256",${members}}` });
const withClaims = (members: string) => tokenOf({ claims: `{"iss":"a",${members}}` });

describe("reads", () => {
  test("the header and the claims", () => {
    expect(parseJwt(tokenOf({}))).toEqual({ header: JSON.parse(header), claims: JSON.parse(claims) });
  });

  const good: [string, string][] = [
    ["white space in the JSON", tokenOf({ claims: ' {\n\t"iss" : "a" }\r\n' })],
    ["an empty object of claims", tokenOf({ claims: "{}" })],
    ["aud as text", withClaims('"aud":"a"')],
    ["aud as a list", withClaims('"aud":["a","b"]')],
    ["an empty list of audiences", withClaims('"aud":[]')],
    ["times with fractions", withClaims('"exp":1.5,"nbf":0,"iat":-1')],
    ["the same name on two levels", withClaims('"a":{"iss":1,"a":{"a":2}},"b":{"a":3}')],
    ["the same text as a name and a value", withClaims('"a":"a","b":["a","a"]')],
    ["names that differ in case", withClaims('"a":1,"A":2')],
    ["text that looks like members", withClaims('"a":"{\\"b\\":1,\\"b\\":2}"')],
    ["letters beyond ASCII", withClaims('"name":"Žofie 🦀"')],
    ["__proto__ as a name like any other", withClaims('"__proto__":{"exp":"x"}')],
    ["jwk, jku, x5u, x5c and x5t of any kind", withHeader('"jwk":1,"jku":[],"x5u":{},"x5c":null,"x5t":0')],
    ["typ, cty and kid", withHeader('"typ":"at+jwt","cty":"","kid":"../../etc/passwd"')],
    [
      "the longest token",
      tokenOf({ signature: "A".repeat(limits.tokenBytesCeiling - tokenOf({ signature: "" }).length) }),
    ],
  ];
  test.each(good)("%s", (_, token) => {
    expect(parseJwt(token)).toMatchObject({ header: { alg: "ES256" } });
  });

  test("__proto__ in the claims without giving them any", () => {
    const { claims: read } = parseJwt(withClaims('"__proto__":{"role":"editor"}'));
    expect(read.role).toBeUndefined();
  });
});

/** Four bits of the last letter have no meaning: a tolerant decoder reads Q and R as the same bytes. */
const looseHeader = base64url('{"alg":"ES256" }').replace(/Q$/, "R");
/** Its base64 text has a plus and a slash. */
const mixedClaims = Buffer.from('{"a":">>>???"}').toString("base64").replace("=", "");

const hostile: [string, string][] = [
  ["nothing", ""],
  ["one part", base64url(header)],
  ["two parts", `${base64url(header)}.${base64url(claims)}`],
  ["four parts", `${tokenOf({})}.AAAA`],
  ["five parts (a JWE)", `${base64url('{"alg":"dir","enc":"A256GCM"}')}..AAAA.AAAA.AAAA`],
  [
    "JSON serialization",
    JSON.stringify({ payload: base64url(claims), signatures: [{ protected: base64url(header) }] }),
  ],
  ["flattened JSON with two dots", '{"payload":"a.b","signature":"c.d"}'],
  ["only dots", ".."],
  ["an empty header", `.${base64url(claims)}.AAAA`],
  ["empty claims", `${base64url(header)}..AAAA`],
  ["an empty signature", `${base64url(header)}.${base64url(claims)}.`],
  ["a letter more than a token may have", tokenOf({ signature: "A".repeat(limits.tokenBytesCeiling) })],

  ["bits after the end in the header", `${looseHeader}.${base64url(claims)}.AAAA`],
  ["bits after the end in the claims", `${base64url(header)}.e31.AAAA`],
  ["bits after the end in the signature", `${base64url(header)}.${base64url(claims)}.AB`],
  ["a letter too many in the header", `${base64url(header)}A.${base64url(claims)}.AAAA`],
  ["a letter too many in the claims", `${base64url(header)}.${base64url(claims)}A.AAAA`],
  ["a letter too many in the signature", tokenOf({ signature: "AAAAA" })],
  ["one letter as a signature", tokenOf({ signature: "A" })],
  [
    "padding in the header",
    `${Buffer.from('{"alg":"ES256"} ').toString("base64")}.${base64url(claims)}.AAAA`,
  ],
  ["padding in the claims", `${base64url(header)}.e30=.AAAA`],
  ["padding in the signature", tokenOf({ signature: "AA==" })],
  ["base64 that is not base64url in the claims", `${base64url(header)}.${mixedClaims}.AAAA`],
  ["base64 that is not base64url in the signature", tokenOf({ signature: "+/+/" })],
  [
    "a line break in the header",
    `${base64url(header).slice(0, 4)}\n${base64url(header).slice(4)}.${base64url(claims)}.AAAA`,
  ],
  ["a space before", ` ${tokenOf({})}`],
  ["a space after", `${tokenOf({})} `],
  ["a NUL in the signature", tokenOf({ signature: "AA\0AA" })],
  ["letters beyond ASCII in the signature", tokenOf({ signature: "АААА" })],

  ["a header that is not JSON", tokenOf({ header: '{"alg":"ES256"' })],
  ["a header that is null", tokenOf({ header: "null" })],
  ["a header that is a list", tokenOf({ header: '["ES256"]' })],
  ["a header that is text", tokenOf({ header: '"ES256"' })],
  ["a header after a BOM", tokenOf({ header: `\uFEFF${header}` })],
  ["claims that are not JSON", tokenOf({ claims: "{iss:1}" })],
  ["claims with a comment", tokenOf({ claims: '{"iss":"a"/**/}' })],
  ["claims with a comma at the end", tokenOf({ claims: '{"iss":"a",}' })],
  ["claims and more", tokenOf({ claims: `${claims}${claims}` })],
  ["claims that are null", tokenOf({ claims: "null" })],
  ["claims that are a list", tokenOf({ claims: `[${claims}]` })],
  ["claims that are a number", tokenOf({ claims: "1" })],
  ["claims that are true", tokenOf({ claims: "true" })],
  ["claims after a BOM", tokenOf({ claims: `\uFEFF${claims}` })],
  ["claims in UTF-16", tokenOf({ claims: Buffer.from(claims, "utf16le") })],
  ["bytes that are not UTF-8", tokenOf({ claims: Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]) })],
  ["UTF-8 that is too long (C0 AF)", tokenOf({ claims: Buffer.from('{"a":"\xc0\xaf"}', "latin1") })],
  ["a surrogate in UTF-8", tokenOf({ claims: Buffer.from('{"a":"\xed\xa0\x80"}', "latin1") })],

  ["alg twice", tokenOf({ header: '{"alg":"none","alg":"ES256"}' })],
  ["exp twice", withClaims('"exp":1,"exp":4000000000')],
  ["exp twice, once escaped", withClaims('"exp":1,"\\u0065xp":4000000000')],
  ["exp twice, both escaped in other ways", withClaims('"ex\\u0070":1,"\\u0065xp":2')],
  ["a slash, escaped and not", withClaims('"a/b":1,"a\\/b":2')],
  ["a quote in a name, twice", withClaims('"a\\"b":1,"a\\u0022b":2')],
  ["__proto__ twice", withClaims('"__proto__":1,"__proto__":2')],
  ["an empty name twice", withClaims('"":1,"":2')],
  ["twice in an object", withClaims('"a":{"b":1,"b":1}')],
  ["twice in an object in a list", withClaims('"a":[1,{"b":[],"b":1}]')],
  ["twice with an object between", withClaims('"a":1,"b":{"c":[{}]},"a":1')],
  ["twice with white space", withClaims('"a" \n:1,\t"a"\r: 1')],

  ["no alg", tokenOf({ header: "{}" })],
  ["alg null", tokenOf({ header: '{"alg":null}' })],
  ["alg as a list", tokenOf({ header: '{"alg":["ES256"]}' })],
  ["alg only by inheritance", tokenOf({ header: '{"__proto__":{"alg":"ES256"}}' })],
  ["crit", withHeader('"crit":["exp"]')],
  ["an empty crit", withHeader('"crit":[]')],
  ["crit null", withHeader('"crit":null')],
  ["b64 false", withHeader('"crit":["b64"],"b64":false')],
  ["b64 true", withHeader('"b64":true')],
  ["enc", withHeader('"enc":"A256GCM"')],
  ["zip", withHeader('"zip":"DEF"')],
  ["typ as a number", withHeader('"typ":1')],
  ["typ null", withHeader('"typ":null')],
  ["kid as a list", withHeader('"kid":["a"]')],
  ["kid as an object", withHeader('"kid":{}')],
  ["cty as true", withHeader('"cty":true')],

  ["exp as text", withClaims('"exp":"4000000000"')],
  ["exp null", withClaims('"exp":null')],
  ["exp as true", withClaims('"exp":true')],
  ["exp as a list", withClaims('"exp":[4000000000]')],
  ["exp as an object", withClaims('"exp":{"valueOf":1}')],
  ["exp without end (1e999)", withClaims('"exp":1e999')],
  ["nbf before all time", withClaims('"nbf":-1e999')],
  ["nbf as text", withClaims('"nbf":"0"')],
  ["iat null", withClaims('"iat":null')],
  ["iat as text", withClaims('"iat":""')],
  ["iss null", tokenOf({ claims: '{"iss":null}' })],
  ["iss as a list", tokenOf({ claims: '{"iss":["a"]}' })],
  ["iss as an object", tokenOf({ claims: '{"iss":{"a":1}}' })],
  ["sub as a number", withClaims('"sub":1')],
  ["jti as a number", withClaims('"jti":1')],
  ["azp as a list", withClaims('"azp":["web"]')],
  ["client_id null", withClaims('"client_id":null')],
  ["aud as a number", withClaims('"aud":1')],
  ["aud as an object", withClaims('"aud":{"tidegate":true}')],
  ["aud of mixed types", withClaims('"aud":["tidegate",1]')],
  ["aud with null", withClaims('"aud":["tidegate",null]')],
  ["aud as a list of lists", withClaims('"aud":[["tidegate"]]')],
];

describe("refuses", () => {
  test.each(hostile)("%s", async (_, token) => {
    const error = await refusal(() => parseJwt(token));
    expect(error).toMatchObject({ code: "token_malformed", status: 401 });
    for (const part of token.split(".").filter((text) => text.length > 8)) {
      expect(`${error.message} ${error.operator}`).not.toContain(part);
    }
  });

  test("each of them with another message", () => {
    expect(new Set(hostile.map(([, token]) => token)).size).toBe(hostile.length);
  });
});

describe("random input", () => {
  const spoiled = fc
    .tuple(fc.constantFrom(header, claims), fc.nat(), fc.string({ unit: "binary", maxLength: 3 }))
    .map(([text, at, more]) => {
      const place = at % text.length;
      return base64url(text.slice(0, place) + more + text.slice(place + 1));
    });
  const part = fc.oneof(
    spoiled,
    fc.json().map(base64url),
    fc.uint8Array({ maxLength: 20 }).map(base64url),
    fc.string({ unit: "binary" }),
    fc.constantFrom("", "e30", "AA", base64url(header), base64url(claims)),
  );
  const parts = fc.oneof(fc.tuple(part, part, part), fc.array(part, { maxLength: 6 }));

  test("the token is read or refused as malformed", async () => {
    await fc.assert(
      fc.asyncProperty(parts, async (texts) => {
        const token = texts.join(".");
        try {
          parseJwt(token);
        } catch {
          expect((await refusal(() => parseJwt(token))).code).toBe("token_malformed");
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test("a token that is read has one spelling only", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        fc.uint8Array({ minLength: 1 }),
        (more, signature) => {
          const text = JSON.stringify({
            ...more,
            iss: "a",
            sub: "s",
            aud: "t",
            exp: 1,
            nbf: 1,
            iat: 1,
            jti: "",
            azp: "",
            client_id: "",
          });
          const token = tokenOf({ claims: text, signature: base64url(signature) });
          const read = parseJwt(token);
          expect(JSON.stringify(read.claims)).toBe(text);
          expect(token).toBe(`${base64url(header)}.${base64url(text)}.${base64url(signature)}`);
        },
      ),
    );
  });
});
