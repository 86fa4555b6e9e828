import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { unstable_getVarsForDev } from "wrangler";
import { withDevVar } from "../../../../cli/project/dev-vars.ts";

const folder = mkdtempSync(join(tmpdir(), "tidegate-dev-vars-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** As wrangler dev reads it. */
function readByWrangler(text: string): Record<string, unknown> {
  writeFileSync(join(folder, ".dev.vars.x"), text);
  const vars = unstable_getVarsForDev(join(folder, "wrangler.json"), undefined, {}, "x", true);
  return Object.fromEntries(Object.entries(vars).map(([name, { value }]) => [name, value]));
}

/** @returns the text, where it could be written */
function written(text: string, name: string, value: string): string | undefined {
  const edited = withDevVar(text, name, value);
  return "text" in edited ? edited.text : undefined;
}

describe("a secret in the text of .dev.vars.NAME", () => {
  test("is a new line, and the others stay", () => {
    const before = "# mine\nOTHER='x y'\n\nA_PASSWORD=old # a comment\n";
    expect(written(before, "B_PASSWORD", "b c")).toBe(`${before}B_PASSWORD='b c'\n`);
    expect(written("X=1", "Y", "2")).toBe("X=1\nY=2\n");
    expect(written("", "Y", "2")).toBe("Y=2\n");
  });

  test("takes the place of the one before", () => {
    expect(written("A=1\nexport B = 'x'\nC=3\n", "B", "it's")).toBe("A=1\nB=`it's`\nC=3\n");
    expect(written("AB=1\n", "A", "2")).toBe("AB=1\nA=2\n");
  });

  test.each([
    ["of several lines", "B=1\nA='old\nC=x\nold' # why\nD=2\n", "B=1\nA=new\nD=2\n"],
    ["that is there twice", "A=old\nB=1\nexport A='older\nold'\nA: oldest", "A=new\nB=1\n"],
    ["in a file with CRLF", "B=1\r\nA=old\r\nA=older\r\nC=2\r\n", "B=1\r\nA=new\r\nC=2\r\n"],
    ["inside another value", "B='x\nA=1\n'\n", "B='x\nA=1\n'\nA=new\n"],
  ])("takes the place of a value %s", (_, before, after) => {
    expect(written(before, "A", "new")).toBe(after);
    const { A, ...others } = parseEnv(after);
    expect(A).toBe("new");
    expect(parseEnv(before)).toMatchObject(others);
    expect(readByWrangler(after)).toEqual({ A: "new", ...others });
  });

  test.each([
    ["the other names would get other values", "B='x\nA=old\n", "it's"],
    ["a quotation mark takes the lines of others into the value", "A='old\nB=1\nC='2'\n", "new"],
  ])("is not written where %s", (_, before, secret) => {
    expect(withDevVar(before, "A", secret)).toEqual({ refusal: "others" });
  });

  test.each(["two\nlines", "all of '\"`"])("cannot be %j", (value) => {
    expect(withDevVar("", "A", value)).toEqual({ refusal: "value" });
  });

  test("is read as it was written, whatever it is", () => {
    const value = fc.oneof(
      fc.string({ minLength: 1, maxLength: 20 }),
      fc.string({ minLength: 1, maxLength: 12, unit: "grapheme" }),
      fc.constantFrom(
        "a#b",
        "$HOME",
        "\\n",
        "a\\",
        " x ",
        "it's",
        'say "x"',
        "`",
        '{"kty":"EC","d":"x"}',
        "a=b",
      ),
    );
    fc.assert(
      fc.property(value, (secret) => {
        const text = written("BEFORE='1'\n", "A_PASSWORD", secret);
        if (text === undefined) return;
        expect(parseEnv(`${text}AFTER=2\n`)).toEqual({ BEFORE: "1", A_PASSWORD: secret, AFTER: "2" });
        expect(readByWrangler(`${text}AFTER=2\n`)).toEqual({ BEFORE: "1", A_PASSWORD: secret, AFTER: "2" });
      }),
      { numRuns: 500 },
    );
  });
});
