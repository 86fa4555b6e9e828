import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { TidegateError } from "../../../src/errors.ts";
import { fingerprintOf, readKey } from "../../../src/idempotency/key.ts";
import { limits } from "../../../src/limits.ts";

const longest = "k".repeat(limits.idempotencyKeyCharacters);

describe("the header Idempotency-Key", () => {
  test.each([
    [
      "a UUID in quotation marks",
      '"8e03978e-40d5-43e8-bc93-6894a57f9324"',
      "8e03978e-40d5-43e8-bc93-6894a57f9324",
    ],
    ["a UUID without", "8e03978e-40d5-43e8-bc93-6894a57f9324", "8e03978e-40d5-43e8-bc93-6894a57f9324"],
    ["blanks around it", '  "k"\t', "k"],
    ["one character", '"k"', "k"],
    ["a word of every kind of character that needs no quotation marks", "aZ09_-.~:+/=", "aZ09_-.~:+/="],
    ["every printable character", '" !#$%&\'()*+,-./:;<=>?@[]^_`{|}~"', " !#$%&'()*+,-./:;<=>?@[]^_`{|}~"],
    ["an escaped quotation mark and backslash", '"a\\"b\\\\c"', 'a"b\\c'],
    ["the longest", `"${longest}"`, longest],
  ])("%s", (_, header, key) => {
    expect(readKey(header)).toBe(key);
  });

  test.each([
    ["nothing", ""],
    ["blanks", "  "],
    ["an empty string", '""'],
    ["two of them, as two headers arrive", '"a", "b"'],
    ["two words", "a, b"],
    ["a blank between", "a b"],
    ["no end", '"a'],
    ["no beginning", 'a"'],
    ["a quotation mark inside", '"a"b"'],
    ["a backslash before another character", '"a\\n"'],
    ["a backslash at the end", '"a\\"'],
    ["parameters", '"a";b=1'],
    ["a control character", '"a\u0001"'],
    ["more than ASCII", '"ä"'],
    ["more than ASCII without quotation marks", "ä"],
    ["bytes, as structured fields have them", ":YWJj:;"],
    ["one character too many", `"${longest}k"`],
    ["one character too many without quotation marks", `${longest}k`],
  ])("%s: refused", (_, header) => {
    const refused = () => readKey(header);
    expect(refused).toThrow(TidegateError);
    expect(refused).toThrow("Send one key in quotation marks, of 1 to 255 printable ASCII characters");
  });
});

describe("a request's fingerprint", () => {
  const request = { method: "POST", path: "/v1/sql", format: "json", body: '{"sql":"SELECT 1"}' };

  test("is the same for the same request", async () => {
    expect(await fingerprintOf({ ...request })).toBe(await fingerprintOf(request));
    expect(await fingerprintOf(request)).toMatch(/^[\w-]{43}$/);
  });

  test("has its old value if a query binds no claims, because keys live across deployments", async () => {
    expect(await fingerprintOf({ ...request, claims: undefined })).toBe(
      createHash("sha256")
        .update(JSON.stringify(["POST", "/v1/sql", "json", request.body]))
        .digest("base64url"),
    );
  });

  test("differs for each other claim", async () => {
    const [a, b] = ['[["tenant","a"]]', '[["tenant","b"]]'];
    expect(await fingerprintOf({ ...request, claims: a })).not.toBe(
      await fingerprintOf({ ...request, claims: b }),
    );
  });

  test.each([
    ["method", { method: "PUT" }],
    ["path", { path: "/v1/batch" }],
    ["query", { path: "/v1/sql?rows=array" }],
    ["form of the answer", { format: "csv" }],
    ["body", { body: '{"sql":"SELECT 2"}' }],
    ["blank in the body", { body: '{"sql": "SELECT 1"}' }],
    ["place of the border between two parts", { path: '/v1/sql"', format: "son" }],
    ["lack of a body", { body: "" }],
    ["claim", { claims: '[["tenant","a"]]' }],
  ])("differs for another %s", async (_, change) => {
    expect(await fingerprintOf({ ...request, ...change })).not.toBe(await fingerprintOf(request));
  });
});
