import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { credentialsOf } from "../../../src/auth/bearer.ts";
import { refusal } from "./refusal.ts";

const token = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJhIn0.c2lnbmF0dXJl";

const maxBytes = 2000;
const read = (header: string | undefined) => credentialsOf(header, maxBytes);

/** A token of exactly this many characters. */
function tokenOf(length: number): string {
  return `a.${"b".repeat(length - 4)}.c`;
}

describe("takes the token of", () => {
  test.each([
    `Bearer ${token}`,
    `bearer ${token}`,
    `BEARER ${token}`,
    `Bearer   ${token}`,
    `  Bearer ${token}  `,
    `\tBearer ${token}\r\n`,
  ])("%j", (header) => {
    expect(read(header)).toEqual({ scheme: "bearer", token });
  });

  test("every character of base64url", () => {
    expect(read("Bearer azAZ09-_.-._").token).toBe("azAZ09-_.-._");
  });

  test("the longest token", () => {
    expect(read(`Bearer ${tokenOf(maxBytes)}`).token).toHaveLength(maxBytes);
  });
});

test.each([`DPoP ${token}`, `dpop ${token}`])("a token bound to a key: %j", (header) => {
  expect(read(header)).toEqual({ scheme: "dpop", token });
});

describe("asks for a token if there is none", () => {
  test.each([undefined, "", " ", "\t"])("%j", async (header) => {
    expect(await refusal(() => read(header))).toMatchObject({ code: "token_missing", status: 401 });
  });
});

describe("asks for a token if the credentials have another scheme", () => {
  test.each([
    ["a token without a scheme", token],
    ["another scheme", `Basic ${token}`],
    ["another scheme with credentials", "Basic dXNlcjpwYXNzd29yZA=="],
    ["a scheme that begins like ours", `BearerX ${token}`],
    ["a tab for the space", `Bearer\t${token}`],
    ["a scheme that begins like DPoP", `DPoPX ${token}`],
    ["a colon after the scheme", `Bearer: ${token}`],
    ["an empty header before a good one", `, Bearer ${token}`],
  ])("%s", async (_, header) => {
    const error = await refusal(() => read(header));
    expect(error).toMatchObject({ code: "token_missing", status: 401 });
    expect(error.message).not.toContain(token);
  });
});

describe("refuses as malformed", () => {
  test.each([
    ["a scheme without a token", "Bearer"],
    ["a scheme and spaces", "Bearer    "],
    ["DPoP without a token", "DPoP"],
    ["two tokens", `Bearer ${token} ${token}`],
    ["two headers joined by a comma", `Bearer ${token}, Bearer ${token}`],
    ["two headers joined without a space", `Bearer ${token},Bearer ${token}`],
    ["a comma after the token", `Bearer ${token},`],
    ["quotes around the token", `Bearer "${token}"`],
    ["one part", "Bearer abc"],
    ["two parts", "Bearer a.b"],
    ["four parts", "Bearer a.b.c.d"],
    ["five parts (a JWE)", "Bearer a.b.c.d.e"],
    ["an empty header part", "Bearer .b.c"],
    ["an empty payload part", "Bearer a..c"],
    ["an empty signature (alg none)", "Bearer a.b."],
    ["padding", "Bearer YQ==.YQ==.YQ=="],
    ["base64 that is not base64url", "Bearer a+b.c/d.e"],
    ["a line break in the token", "Bearer a.b\n.c"],
    ["a NUL in the token", "Bearer a.b.c\u0000"],
    ["letters that are not ASCII", "Bearer ä.b.c"],
    ["a byte more than the longest token", `Bearer ${tokenOf(maxBytes + 1)}`],
  ])("%s", async (_, header) => {
    const error = await refusal(() => read(header));
    expect(error).toMatchObject({ code: "token_malformed", status: 401 });
    expect(error.message).not.toContain(token);
  });
});

test("every header gives a compact JWS or a refusal", () => {
  const header = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: fc.constantFrom("Bearer", "DPoP", " ", ".", ",", "a", "=", "\t", "é") }),
  );
  fc.assert(
    fc.asyncProperty(header, async (text) => {
      let found: string;
      try {
        found = read(text).token;
      } catch {
        await refusal(() => read(text));
        return;
      }
      expect(found).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
      expect(text.trim()).toMatch(/^(bearer|dpop) /i);
    }),
  );
});
