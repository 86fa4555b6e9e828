import { describe, expect, test } from "vitest";
import { leaksIn, secretsOf } from "../../../gateway/support/leaks.ts";

const secret = 'a "secret" of bytes & more?>';
const lines = (line: string) => ["first", line, "last"];

describe("a secret is found in a line", () => {
  test.each([
    ["as it is", secret],
    ["as JSON writes it", JSON.stringify({ reason: secret })],
    ["as a URL writes it", `/?token=${encodeURIComponent(secret)}`],
    ["in base64", Buffer.from(secret).toString("base64")],
    ["in base64url", Buffer.from(secret).toString("base64url")],
  ])("%s", (_, written) => {
    const line = `before ${written} after`;
    expect(leaksIn(lines(line), ["another secret", secret])).toEqual([{ line, secret: 1 }]);
  });

  test("in every line that has it", () => {
    expect(leaksIn([secret, "x", secret], [secret])).toHaveLength(2);
  });
});

test("nothing is found in lines without a secret", () => {
  expect(leaksIn(lines('{"reason":"a \\"secret\\" of"}'), [secret])).toEqual([]);
  expect(leaksIn([], [secret])).toEqual([]);
  // If the secret is split over two lines, neither line has it.
  expect(leaksIn([secret.slice(0, 10), secret.slice(10)], [secret])).toEqual([]);
});

test("a secret that is too short for a search is an error, not a pass", () => {
  expect(() => leaksIn(lines("x"), ["1234567"])).toThrow(RangeError);
});

describe("of an Authorization header", () => {
  test("the token, its claims and its signature are secrets, its header is not", () => {
    expect(secretsOf("Bearer eyJhbGciOiJub25lIn0.claims-of-it.signature-of-it")).toEqual([
      "eyJhbGciOiJub25lIn0.claims-of-it.signature-of-it",
      "claims-of-it",
      "signature-of-it",
    ]);
  });

  test("credentials of another scheme are secrets too, and a few letters are not", () => {
    expect(secretsOf("Basic dXNlcjpwYXNz")).toEqual(["dXNlcjpwYXNz"]);
    expect(secretsOf("Bearer a.b.c")).toEqual([]);
    expect(secretsOf("")).toEqual([]);
  });
});
