import type { Family } from "./attempt.ts";
import { bearing } from "./attempt.ts";
import type { Part } from "./parties.ts";
import { attackerSigner, encode, goodClaims, goodHeader, main, tokenOf, withClaims } from "./parties.ts";

/** Tokens that two parsers could read differently (RFC 8725 §2.4, §3.7, RFC 7515 §7). */
export function spellingFamilies(): Family[] {
  return [
    { family: "base64url that is not canonical", attempts: encodings() },
    { family: "JSON that can be read in two ways", attempts: texts() },
    { family: "another form than three parts", attempts: forms() },
    { family: "too long, or built to be", attempts: sizes() },
  ];
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** The other letters that a tolerant decoder reads as the same bytes at the end of a part. */
function otherEndings(part: string): string[] {
  const free = ({ 2: 4, 3: 2 } as Record<number, number>)[part.length % 4] ?? 0;
  const last = alphabet.indexOf(part.at(-1) ?? "");
  return Array.from({ length: 2 ** free - 1 }, (_, i) => part.slice(0, -1) + alphabet[last + i + 1]);
}

function encodings() {
  // Claims whose length leaves unused bits, whatever the time is.
  const claims = [0, 1]
    .map((n) => ({ ...goodClaims, pad: "x".repeat(n) }))
    .find((one) => encode(one).length % 4);
  const token = tokenOf({ ...goodHeader, x: "" }, claims);
  const parts = token.split(".") as [string, string, string];
  const replaced = (at: number, text: string) => parts.with(at, text).join(".");
  const names = ["header", "claims", "signature"];
  const changed = parts.flatMap((part, at) => {
    const name = names[at];
    const middle = (text: string) => replaced(at, part.slice(0, 9) + text + part.slice(9));
    return [
      ...otherEndings(part).map((other, i) => [
        `${name}: other bits at the end (${i + 1})`,
        replaced(at, other),
      ]),
      [`${name}: =`, replaced(at, `${part}=`)],
      [`${name}: ==`, replaced(at, `${part}==`)],
      // No number of bytes gives a fifth letter.
      [`${name}: a letter too many`, replaced(at, part + "A".repeat((5 - (part.length % 4)) % 4))],
      [`${name}: a plus`, middle("+")],
      [`${name}: a slash`, middle("/")],
      [`${name}: a tab`, middle("\t")],
      [`${name}: a comma`, middle(",")],
      [`${name}: an encoded letter`, middle("%41")],
      [`${name}: a letter beyond ASCII`, middle("é")],
      [`${name}: empty`, replaced(at, "")],
    ];
  });
  return bearing("token_malformed", {
    ...Object.fromEntries(changed),
    "encoded dots": token.replaceAll(".", "%2E"),
    "in quotes": `"${token}"`,
    "in brackets": `<${token}>`,
    "a comma after it": `${token},`,
    "a dot after it": `${token}.`,
    "a space in it": parts.join(". "),
  });
}

/** The issuer itself has signed all of these. */
function texts() {
  const claims = JSON.stringify(goodClaims);
  const open = claims.slice(0, -1);
  const header = JSON.stringify(goodHeader);
  const bytes = (text: string, ...more: number[]) => Buffer.concat([Buffer.from(text), Buffer.from(more)]);
  const ofClaims: Record<string, Part> = {
    "exp twice": `${open},"exp":99999999999}`,
    "exp twice, once escaped": `${open},"\\u0065xp":99999999999}`,
    "iss twice": `{"iss":"http://issuer.test/strict",${claims.slice(1)}`,
    "aud twice": `${open},"aud":"other"}`,
    "role twice": `${open},"role":"editor"}`,
    "a member twice, deep inside": `${open},"a":[{"b":{"c":1,"c":2}}]}`,
    "the same member twice": `${open},"x":1,"x":1}`,
    "a BOM": `\uFEFF${claims}`,
    "a BOM of UTF-16": bytes("", 0xff, 0xfe, ...Buffer.from(claims, "utf16le")),
    "UTF-16": Buffer.from(claims, "utf16le"),
    "a byte that is not UTF-8": Buffer.concat([bytes(`${open},"x":"`, 0xff), bytes('"}')]),
    "an overlong letter": Buffer.concat([bytes(`${open},"x":"`, 0xc0, 0xaf), bytes('"}')]),
    "half a surrogate pair": Buffer.concat([bytes(`${open},"x":"`, 0xed, 0xa0, 0x80), bytes('"}')]),
    "a cut letter": bytes(`${open},"x":"`, 0xc3),
    "a comma at the end": `${open},}`,
    "a comment": `${open}/* */}`,
    "single quotes": claims.replaceAll('"', "'"),
    "names without quotes": "{iss:1}",
    NaN: `${open},"x":NaN}`,
    Infinity: `${open},"exp":Infinity}`,
    "a hexadecimal number": `${open},"x":0x10}`,
    "a control character": `${open},"x":"\u0001"}`,
    "a zero byte at the end": bytes(claims, 0),
    "two objects": claims + claims,
    "a list": `[${claims}]`,
    text: JSON.stringify(claims),
    null: "null",
    number: "1",
    true: "true",
    "an open object": open,
  };
  const ofHeader: Record<string, Part> = {
    "alg twice": `${header.slice(0, -1)},"alg":"ES256"}`,
    "alg twice, none first": `{"alg":"none",${header.slice(1)}`,
    "alg twice, once escaped": `${header.slice(0, -1)},"\\u0061lg":"none"}`,
    "kid twice": `${header.slice(0, -1)},"kid":"other"}`,
    "a BOM": `\uFEFF${header}`,
    "a byte that is not UTF-8": bytes(header, 0xff),
    "a list": `[${header}]`,
    null: "null",
    text: '"ES256"',
    "an open object": header.slice(0, -1),
  };
  const of = (parts: Record<string, Part>, what: string, make: (part: Part) => string) =>
    Object.entries(parts).map(([name, part]) => [`${what}: ${name}`, make(part)]);
  return bearing(
    "token_malformed",
    Object.fromEntries([
      ...of(ofClaims, "claims", (part) => tokenOf(goodHeader, part)),
      ...of(ofHeader, "header", (part) => tokenOf(part)),
    ]),
  );
}

function forms() {
  const token = tokenOf();
  const [header = "", claims = "", signature = ""] = token.split(".");
  const jwe = encode({ alg: "dir", enc: "A256GCM" });
  return bearing("token_malformed", {
    "one part": header,
    "two parts": `${header}.${claims}`,
    "four parts": `${token}.${signature}`,
    "five parts, a JWE": `${jwe}.AAAA.AAAA.AAAA.AAAA`,
    "five parts, no key": `${jwe}..AAAA.AAAA.AAAA`,
    "six parts": `${token}.${token}`,
    "a JWE's header before three parts": `${jwe}.${claims}.${signature}`,
    dots: "..",
    "a token in a token": tokenOf({ ...goodHeader, cty: "JWT" }, token),
    "the flattened form": JSON.stringify({ protected: header, payload: claims, signature }),
    "the general form": JSON.stringify({ payload: claims, signatures: [{ protected: header, signature }] }),
    "the flattened form with dots": JSON.stringify({ payload: `${header}.${claims}`, signature: ".x" }),
    "detached claims": `${header}..${signature}`,
    "parts in another order": `${claims}.${header}.${signature}`,
  });
}

function sizes() {
  const long = (length: number) => withClaims({ pad: "x".repeat(length) });
  const nested = (open: string, close: string, depth: number) =>
    `${JSON.stringify(goodClaims).slice(0, -1)},"a":${open.repeat(depth)}1${close.repeat(depth)}}`;
  return [
    ...bearing("token_malformed", {
      "a little too long": `${withClaims({})}${"A".repeat(8192)}`.slice(0, 8193),
      "signed, 9 KB": long(6_500),
      "signed, 12 KB": long(8_700),
      "lists that nobody closes": tokenOf(goodHeader, `{"iss":"${main}","a":${"[".repeat(5_000)}`),
      "objects that nobody closes": tokenOf(goodHeader, `{"iss":"${main}","a":${'{"a":'.repeat(1_000)}`),
    }),
    ...bearing("token_invalid", {
      "lists in lists, forged": tokenOf(goodHeader, nested("[", "]", 2_700), attackerSigner),
      "objects in objects, forged": tokenOf(goodHeader, nested('{"a":', "}", 900), attackerSigner),
      "a thousand members, forged": tokenOf(
        goodHeader,
        { ...goodClaims, ...Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`m${i}`, i])) },
        attackerSigner,
      ),
      "a number of a thousand digits, forged": tokenOf(
        goodHeader,
        `${JSON.stringify(goodClaims).slice(0, -1)},"n":${"9".repeat(300)}}`,
        attackerSigner,
      ),
    }),
  ];
}
