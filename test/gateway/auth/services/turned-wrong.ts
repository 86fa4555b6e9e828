import { nowSeconds } from "../tokens/parties.ts";
import type { Members, Refused } from "./service.ts";
import { withMember } from "./service.ts";

/** Tokens in which one thing is wrong: by one character, by case, by type, by a list where a text belongs. */

/**
 * @param issuer the policy's section
 * @param grant the grant that the token is for
 * @param claims of a good token
 * @returns the claims to change, and the code of each refusal
 */
export function turnedWrong(issuer: Members, grant: Members, claims: Members): Refused[] {
  return [
    ...issuers(claims),
    ...audiences(issuer, claims),
    ...times(),
    ...demanded(issuer),
    ...granted(issuer, grant, claims),
  ];
}

const invalid = "token_invalid";
const malformed = "token_malformed";

/** @returns the name of a wrong value */
const shown = (value: unknown) => JSON.stringify(value)?.slice(0, 60) ?? "nothing";

function changed(name: string, values: readonly unknown[], code: string): Refused[] {
  return values.map((value) => ({ name: `${name}: ${shown(value)}`, code, claims: { [name]: value } }));
}

/** Texts that a careless comparison would take for the same. */
function nearly(text: string): string[] {
  const near = [
    `${text}x`,
    `x${text}`,
    text.slice(0, -1),
    text.slice(1),
    `${text} `,
    ` ${text}`,
    `${text}\0`,
    `${text}/`,
    `${text},${text}`,
    text.toUpperCase(),
    text.replace(/[a-z]/, (letter) => letter.toUpperCase()),
    text.replace(/e/, "е"),
    "*",
    "",
  ];
  return [...new Set(near)].filter((other) => other !== text);
}

/** Values of other types, none of which has the text as a member. */
const otherTypes = (text: unknown) => [1, true, {}, { value: text }, [[text]], [{ value: text }], 0, false];

function issuers({ iss }: Members): Refused[] {
  return [
    ...changed("iss", [...nearly(String(iss)), undefined], "issuer_unknown"),
    ...changed("iss", [...otherTypes(iss), [iss], null], malformed),
  ];
}

function audiences({ audience, audience_claim: name = "aud" }: Members, claims: Members): Refused[] {
  const own = [claims[String(name)]].flat().map(String);
  const wanted = own.find((one) => [audience].flat().includes(one)) ?? "";
  const refused = `${invalid}|${malformed}`;
  return [
    ...changed(String(name), [...nearly(wanted), ...otherTypes(wanted), null, undefined], refused),
    ...changed(String(name), [[], [""], nearly(wanted), [nearly(wanted).join(" ")]], refused),
    // A right claim makes up for no wrong aud.
    ...(name === "aud" ? [] : changed("aud", ["other", ["other"], ""], refused)),
  ];
}

function times(): Refused[] {
  return [
    ...changed("exp", [nowSeconds - 60, 0, -1, 1.5], "token_expired"),
    ...changed("exp", [undefined], invalid),
    ...changed("exp", [String(nowSeconds + 60), [nowSeconds + 60], true, null, {}], malformed),
    ...changed("nbf", [nowSeconds + 600, Date.now()], invalid),
    ...changed("nbf", [String(nowSeconds), [nowSeconds]], malformed),
    ...changed("iat", [nowSeconds + 600, Date.now()], invalid),
    ...changed("iat", [String(nowSeconds), null], malformed),
    // Milliseconds in place of seconds: the token would live for ever.
    ...changed("exp", [Date.now() + 60_000, 7_258_118_401, 1e15, 1e300], invalid),
  ];
}

function demanded({ required_claims = [], authorized_parties = [] }: Members): Refused[] {
  const parties = authorized_parties as string[];
  return [
    ...(required_claims as string[]).flatMap((name) =>
      changed(name, [undefined, null], `${invalid}|${malformed}`),
    ),
    ...parties.flatMap((party) =>
      changed("azp", [...nearly(party), [party], 1, undefined], `${invalid}|${malformed}`),
    ),
  ];
}

/** What the grant wants. Such a token is good, but opens nothing. */
function granted(
  { json_claims = [] }: Members,
  { claims: wanted = {}, scopes, subject }: Members,
  claims: Members,
): Refused[] {
  const inTexts = json_claims as string[];
  const open: Members = { ...claims };
  for (const name of inTexts) open[name] = JSON.parse(String(claims[name]));
  const attempt = (name: string, path: readonly string[], value: unknown): Refused => {
    const whole = withMember(open, path, value);
    const [top = ""] = path;
    const member = whole[top];
    const text = inTexts.includes(top) && member !== undefined ? JSON.stringify(member) : member;
    return { name, code: "access_denied", claims: { [top]: text } };
  };
  const leaves = leavesOf(wanted as Members).flatMap(({ path, value }) => [
    ...wrongValues(value).map((other) => attempt(`${path.join(" > ")}: ${shown(other)}`, path, other)),
    // An object's text is no object, and a text is no path.
    ...(path.length === 1
      ? []
      : [null, [], "", true, JSON.stringify(value), [JSON.stringify(value)]].map((other) =>
          attempt(`${path.slice(0, -1).join(" > ")}: ${shown(other)}`, path.slice(0, -1), other),
        )),
  ]);
  return [...leaves, ...scopesOf(scopes as string[] | undefined, claims), ...subjectsOf(subject)];
}

interface Leaf {
  path: string[];
  value: unknown;
}

function leavesOf(wanted: Members, at: readonly string[] = []): Leaf[] {
  return Object.entries(wanted).flatMap(([name, value]) =>
    typeof value === "object" ? leavesOf(value as Members, [...at, name]) : [{ path: [...at, name], value }],
  );
}

function wrongValues(wanted: unknown): unknown[] {
  const always = [null, undefined, [], {}, [[wanted]], { [String(wanted)]: true }, [null]];
  if (typeof wanted === "boolean") return [!wanted, String(wanted), Number(wanted), [!wanted], ...always];
  if (typeof wanted === "number")
    return [
      wanted + 1,
      -wanted,
      String(wanted),
      wanted + 0.5,
      [wanted + 1],
      [String(wanted)],
      true,
      ...always,
    ];
  const text = String(wanted);
  return [...nearly(text), nearly(text), `${text} ${text}`, 1, true, ...always];
}

function scopesOf(scopes: string[] | undefined, claims: Members): Refused[] {
  const name = claims.scp === undefined ? "scope" : "scp";
  const code = `access_denied|${invalid}|${malformed}`;
  return (scopes ?? []).flatMap((scope) => {
    const glued = nearly(scope).filter((text) => !text.split(" ").includes(scope));
    return changed(
      name,
      [
        ...glued,
        glued.join(" "),
        glued.filter((text) => text !== ""),
        `a,${scope}`,
        [`a ${scope}`],
        [[scope]],
        { [scope]: true },
        1,
        true,
        null,
        undefined,
      ],
      code,
    );
  });
}

function subjectsOf(subject: unknown): Refused[] {
  if (typeof subject !== "string") return [];
  const begin = subject.replace(/\*.*/, "");
  return [
    ...changed(
      "sub",
      [begin.slice(0, -1), begin.toUpperCase(), `x${begin}a`, "", undefined],
      "access_denied",
    ),
    ...changed("sub", [1, [`${begin}a`], null, {}], malformed),
  ];
}
