import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fingerprintOfClaims } from "../../../src/catalog/claims.ts";
import { readParameters } from "../../../src/catalog/parameters.ts";
import { CatalogError, type Mistake, parseQuery } from "../../../src/catalog/parse.ts";

const url = "https://example.com/tenant-id";

/** @returns the bound values of a query that selects :jwt.x. */
function bind(claims: unknown, head = "", statement = "SELECT :jwt.x"): unknown {
  const query = parseQuery("q.sql", `${head}\n${statement}`);
  return readParameters(query, {}, "json", claims as Record<string, unknown>).values;
}

function refusal(claims: unknown, head = "", statement?: string): string {
  try {
    bind(claims, head, statement);
  } catch (error) {
    expect(error).toMatchObject({ name: "ParameterError", parameters: ["jwt.x"] });
    const { reason, message } = error as { reason: string; message: string };
    return `${reason}: ${message}`;
  }
  return "";
}

describe("an undeclared claim", () => {
  test.each([
    ["7", "7"],
    ["", ""],
    [7, "7"],
    [0, "0"],
    [-0, "0"],
    [-12, "-12"],
    [2 ** 53 - 1, "9007199254740991"],
  ])("%j is bound as a text", (value, text) => {
    expect(bind({ x: value })).toEqual([{ type: "string", value: text, undeclared: true }]);
  });

  test.each<[unknown, string]>([
    [true, "a boolean. The query must declare it in its head: -- @claim x boolean."],
    [false, "a boolean. The query must declare it in its head: -- @claim x boolean."],
    [1.5, "a number with a fraction. The query must declare it in its head: -- @claim x number."],
    [2 ** 53, "an integer beyond 2^53, whose digits are lost. The issuer must send its digits as a text."],
    [1e300, "an integer beyond 2^53, whose digits are lost. The issuer must send its digits as a text."],
    [["a"], "a list. The query must declare it in its head: -- @claim x TYPE[], and use it as IN (:jwt.x)."],
    [
      [],
      "an empty list. The query must declare it in its head: -- @claim x TYPE[], and use it as IN (:jwt.x).",
    ],
    [{ a: 1 }, "an object. The query must name a member of it: :jwt.x.MEMBER."],
    ["\ud83d", "a text that is not well-formed Unicode. The issuer must send it as well-formed Unicode."],
  ])("%j is refused", (value, words) => {
    expect(refusal({ x: value })).toBe(`wrong_claim: The token's claim "x" is ${words}`);
  });

  test.each([[undefined], [{}], [{ x: null }], [Object.create({ x: "me" })], [{ "jwt.x": "me" }]])(
    "that is missing is refused: %j",
    (claims) => {
      expect(refusal(claims)).toBe('missing_claim: The token has no claim "x" that the query can use.');
    },
  );

  test("always gives a text or a refusal", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        try {
          const bound = bind({ x: value });
          expect(bound).toEqual([{ type: "string", value: String(value), undeclared: true }]);
          expect(["string", "number"]).toContain(typeof value);
        } catch (error) {
          expect(error).toMatchObject({ name: "ParameterError" });
        }
      }),
    );
  });
});

describe("a declared claim", () => {
  test.each([
    ["string", "7", { type: "string", value: "7" }],
    ["integer", 7, { type: "integer", value: 7 }],
    ["integer", "9007199254740993", { type: "integer", value: 9007199254740993n }],
    ["number", 1.5, { type: "number", value: 1.5 }],
    ["boolean", false, { type: "boolean", value: false }],
    ["decimal", "1.10", { type: "decimal", value: "1.10" }],
    ["date", "2026-01-01", { type: "date", value: "2026-01-01" }],
    ["datetime required The day", "2026-01-01T10:00:00", { type: "datetime", value: "2026-01-01 10:00:00" }],
  ])("as %s: %j is bound so", (type, value, bound) => {
    expect(bind({ x: value }, `-- @claim x ${type}`)).toEqual([bound]);
  });

  test.each([
    ["string", 7, "is an integer; the query takes a string of well-formed Unicode"],
    ["string", true, "is a boolean; the query takes a string of well-formed Unicode"],
    ["string", ["a"], "is a list; the query takes a string of well-formed Unicode"],
    ["integer", "7x", "is a text; the query takes an integer from "],
    ["integer", 1.5, "is a number with a fraction; the query takes an integer from "],
    [
      "integer",
      2 ** 53,
      "is an integer beyond 2^53, whose digits are lost; the query takes an integer from ",
    ],
    ["number", 2 ** 53, "is an integer beyond 2^53, whose digits are lost. The issuer must send "],
    ["number", 1e300, "is an integer beyond 2^53, whose digits are lost. The issuer must send "],
    ["boolean", 0, "is an integer; the query takes true or false"],
    ["boolean", "true", "is a text; the query takes true or false"],
    ["date", "2026-02-30", "is a text; the query takes a date "],
    ["number", { a: 1 }, "is an object; the query takes a finite number"],
  ])("as %s: %j is refused", (type, value, words) => {
    const told = refusal({ x: value }, `-- @claim x ${type}`);
    expect(told).toContain(`wrong_claim: The token's claim "x" ${words}`);
    expect(told).not.toMatch(/7x|02-30/);
  });

  test("that is missing is refused, with every type", () => {
    for (const claims of [{}, { x: null }])
      expect(refusal(claims, "-- @claim x boolean")).toMatch(/^missing_claim: /);
  });
});

describe("a claim declared as a list", () => {
  const statement = "SELECT 1 FROM t WHERE a IN (:jwt.x)";

  test("gives a value for each element", () => {
    const query = parseQuery("q.sql", `-- @claim x string[] Groups\n${statement}`);
    expect(readParameters(query, {}, "json", { x: ["a", "b", "c"] })).toEqual({
      sql: "SELECT 1 FROM t WHERE a IN (?, ?, ?, ?)",
      values: ["a", "b", "c", "c"].map((value) => ({ type: "string", value })),
    });
  });

  test.each([
    ["a", "is a text; the query takes an array of 1 to 1000 elements"],
    [[], "is an empty list; the query takes an array of 1 to 1000 elements"],
    [Array(1_001).fill("a"), "is a list; the query takes an array of 1 to 1000 elements"],
    [["a", 7], "has an element that is an integer; the query takes a string"],
    [["a", null], "has an element that is null; the query takes a string"],
    [[["a"]], "has an element that is a list; the query takes a string"],
  ])("is refused if it is not such a list: %#", (value, words) => {
    expect(refusal({ x: value }, "-- @claim x string[]", statement)).toContain(words);
  });
});

describe("the token's own name", () => {
  test("is exact and whole, with dots, slashes and quotes", () => {
    for (const own of [url, "app.tenant", 'a "b" \\ c', "x y", "ä", "__proto__", "-- @claim"]) {
      const head = `-- @claim x ${JSON.stringify(own)} string`;
      const claims = JSON.parse(`{${JSON.stringify(own)}: "7", "x": "8", "app": {"tenant": "9"}}`);
      expect(bind(claims, head)).toEqual([{ type: "string", value: "7" }]);
      expect(refusal({ x: "8", app: { tenant: "9" } }, head)).toMatch(/^missing_claim: /);
    }
  });

  test("is in the error", () => {
    expect(refusal({ x: "8" }, `-- @claim x "${url}" string`)).toContain(`no claim "${url}"`);
    expect(refusal({ [url]: true }, `-- @claim x "${url}" string`)).toContain(
      `claim "${url}" is a boolean; the query takes`,
    );
  });

  test("may name a member", () => {
    const head = `-- @claim x ["${url}", "tenant-id"] integer  Of the tenant`;
    expect(bind({ [url]: { "tenant-id": 7 } }, head)).toEqual([{ type: "integer", value: 7 }]);
    for (const claims of [{ [url]: "x" }, { "tenant-id": 7 }, { [url]: [7] }])
      expect(refusal(claims, head)).toMatch(/^missing_claim: /);
  });

  test("and a name with dots are different", () => {
    const head = "-- @claim x.y integer";
    const statement = "SELECT :jwt.x.y";
    expect(bind({ x: { y: 7 }, "x.y": 8 }, head, statement)).toEqual([{ type: "integer", value: 7 }]);
    const renamed = '-- @claim x.y "x.y" integer';
    expect(bind({ x: { y: 7 }, "x.y": 8 }, renamed, statement)).toEqual([{ type: "integer", value: 8 }]);
  });

  test("of a claim is not that of its members", () => {
    const head = '-- @claim a "b-c" string\n-- @claim a.d ["b-c", "d"] string';
    expect(parseQuery("q.sql", `${head}\nSELECT :jwt.a, :jwt.a.d`).claims[1]?.path).toEqual(["b-c", "d"]);
  });

  test("lets one claim have two types", () => {
    const head = '-- @claim id integer\n-- @claim name "id" string';
    const query = parseQuery("q.sql", `${head}\nSELECT :jwt.id, :jwt.name`);
    expect(query.claims).toEqual([
      { name: "id", path: ["id"], type: "integer" },
      { name: "name", path: ["id"], type: "string" },
    ]);
    expect(readParameters(query, {}, "json", { id: "7" }).values).toEqual([
      { type: "integer", value: 7 },
      { type: "string", value: "7" },
    ]);
  });
});

function mistakes(text: string): readonly Mistake[] {
  try {
    parseQuery("q.sql", text);
  } catch (error) {
    if (error instanceof CatalogError) return error.mistakes;
    throw error;
  }
  return [];
}

describe("a placeholder of a claim with a character directly after it", () => {
  test.each([
    ..."-/+*%|&^~#@".split("").map((c) => `:jwt.tenant${c}id`),
    ":jwt.app.tenant-id",
    ":jwt.tenant-id AND a = 1",
    ":jwt.tenant -- x\n, :jwt.sub-- x",
    ":jwt.tenant/* x */",
    ":jwt.tenant# x",
    ":jwt.https://example.com/tenant",
    ":jwt.tenant:id",
    ":jwt.tenant::id",
    ":jwt.tenant!id",
    ":jwt.tenant.5",
    ":jwt.tenant.`id`",
    ":jwt.tenant'id'",
    ":jwt.tenant`id`",
    ':jwt.tenant"id"',
    ":jwt.tenant(id)",
    ":jwt.tenantß",
    ":jwt.tenant$id",
    ":jwt.tenant\u00a0",
    ":jwt.tenant--",
  ])("is refused with advice: %j", (text) => {
    const found = mistakes(`-- x\nSELECT\n${text}`);
    expect(found[0]?.message).toMatch(
      /^:jwt\.[\w.]+ touches .*: -- @claim tenant "https.*string, then :jwt\.tenant\.$/,
    );
    expect(found[0]?.line).toBe(text.includes("\n") ? 4 : 3);
  });

  test.each([
    ":jwt.tenant - id",
    ":jwt.tenant",
    ":jwt.tenant;",
    "a = :jwt.tenant\n- 1",
    "COALESCE(:jwt.tenant,:jwt.org)",
    ":jwt.tenant=a",
    ":jwt.tenant!=a",
    ":jwt.tenant<>a",
    ":jwt.tenant<=>a",
    ":jwt.tenant>=a",
    "a-:jwt.tenant",
  ])("is accepted before white space or such a sign: %j", (text) => {
    expect(mistakes(`SELECT ${text}`)).toEqual([]);
  });

  test.each([":jwt-tenant", ":jwt.-x", ":jwt", ":jwt:sub", ":jwt/sub", ":jwt.ünal", ":jwt. sub"])(
    "or an invalid one is refused with the right form: %s",
    (text) => {
      expect(mistakes(`SELECT ${text}`)[0]?.message).toMatch(
        /^:jwt is not declared. A claim of the token is :jwt.NAME; .*@claim/,
      );
    },
  );
});

describe("a mistake with a claim", () => {
  test.each<[text: string, line: number, message: RegExp]>([
    ["-- @claim\nSELECT :jwt.a", 1, /A claim is declared as it stands in the statement/],
    ["-- @claim tenant-id string\nSELECT 1", 1, /What the token calls it otherwise follows in double quotes/],
    ['-- @claim "tenant-id" string\nSELECT 1', 1, /A claim is declared as it stands/],
    [`-- @claim ${url} string\nSELECT 1`, 1, /A claim is declared as it stands/],
    ["-- @claim 1a string\nSELECT 1", 1, /A claim is declared as it stands/],
    ["-- @claim a. string\nSELECT 1", 1, /A claim is declared as it stands/],
    ["-- @claim ä string\nSELECT 1", 1, /A claim is declared as it stands/],
    ["-- @claim jwt.a string\nSELECT :jwt.a", 1, /without jwt\.: -- @claim a TYPE/],
    ["-- x\n-- @claim a\nSELECT :jwt.a", 2, /type of the claim a must be one of string, integer/],
    ["-- @claim a text\nSELECT :jwt.a", 1, /type of the claim a must be/],
    ["-- @claim a Integer\nSELECT :jwt.a", 1, /type of the claim a must be/],
    ["-- @claim a integer[][]\nSELECT :jwt.a", 1, /type of the claim a must be/],
    [`-- @claim a ${url} string\nSELECT :jwt.a`, 1, /own name .* comes before the type, in double quotes/],
    ["-- @claim a 'b-c' string\nSELECT :jwt.a", 1, /in double quotes/],
    ['-- @claim a "b-c"\nSELECT :jwt.a', 1, /type of the claim a must be/],
    ['-- @claim a string "b-c"\nSELECT :jwt.b', 1, /"a" is not used/],
    ['-- @claim a "b-c string\nSELECT :jwt.a', 1, /own name of the claim a must be text in double quotes/],
    ['-- @claim a "" string\nSELECT :jwt.a', 1, /own name of the claim a/],
    ["-- @claim a [] string\nSELECT :jwt.a", 1, /own name of the claim a/],
    ['-- @claim a ["b", 1] string\nSELECT :jwt.a', 1, /own name of the claim a/],
    ['-- @claim a ["b", "c-d" string\nSELECT :jwt.a', 1, /own name of the claim a/],
    ["-- @claim a integer default 1\nSELECT :jwt.a", 1, /The claim a has no default/],
    ["-- @claim a string\n-- @claim a integer\nSELECT :jwt.a", 2, /The claim a is declared twice/],
    ["-- @claim a string\n-- x\nSELECT 1", 1, /claim "a" is not used: .*:jwt\.a/],
    ["-- @claim a string\nSELECT ':jwt.a'", 1, /claim "a" is not used/],
    ["-- @claim a string[]\nSELECT\n:jwt.a", 3, /:jwt\.a is an array: it must be alone in IN/],
    [
      "-- @param a string\n-- @claim a string\nSELECT :a, :jwt.a",
      2,
      /as a parameter and as a claim: rename one/,
    ],
    [
      "-- @claim a string\n-- @param a string\nSELECT :a, :jwt.a",
      2,
      /as a parameter and as a claim: rename one/,
    ],
    [
      '-- @claim a "b-c" string\nSELECT :jwt.a,\n:jwt.a.d',
      3,
      /no member of the claim a, .*@claim a\.d \["b-c","d"\] TYPE/,
    ],
    [
      '-- @claim a "b-c" string\n-- @claim a.d string\nSELECT :jwt.a, :jwt.a.d',
      3,
      /no member of the claim a/,
    ],
    ["-- @param jwt.a string\nSELECT :jwt.a", 1, /declared with @claim/],
    ["SELECT 1 -- @claim a integer\n, :jwt.a", 1, /lines at the top only/],
    ["-- x\nSELECT :jwt.a\n# @claim a integer\n", 3, /lines at the top only/],
    ["/* @claim a integer */ SELECT :jwt.a", 1, /lines at the top only/],
    ["SELECT 1 /**\n * @param a integer */", 2, /lines at the top only/],
    ["-- @Claim a string\nSELECT :jwt.a", 1, /@Claim is not known: .*@claim/],
  ])("%j: line %d, %s", (text, line, message) => {
    expect(mistakes(text)).toContainEqual({
      file: "q.sql",
      line,
      column: expect.any(Number),
      message: expect.stringMatching(message),
    });
  });

  test("that is used without jwt. is reported", () => {
    expect(
      mistakes("-- @claim a string\nSELECT :a").map(({ line, message }) => `${line} ${message}`),
    ).toEqual([
      '1 The claim "a" is not used: remove it, or write :jwt.a in the statement.',
      "2 :a is not declared. The claim of that name is :jwt.a.",
    ]);
  });

  test("is not found in a comment or a text", () => {
    for (const text of [
      "SELECT 1 -- see @claim.md",
      "SELECT '-- @claim a integer'",
      "-- by @claim\nSELECT 1",
    ])
      expect(mistakes(text)).toEqual([]);
  });
});

describe("the fingerprint of claims", () => {
  const print = (claims: Record<string, unknown>, head = "", statement = "SELECT :jwt.x") =>
    fingerprintOfClaims(parseQuery("q.sql", `${head}\n${statement}`).claims, claims);

  test("is undefined if the query reads no claims", () => {
    expect(print({ x: "7" }, "", "SELECT 1")).toBeUndefined();
  });

  test("is the same for equal bound values, and for other claims that the query does not read", () => {
    expect(print({ x: "7" })).toBe(print({ x: 7, y: "other", exp: 1 }));
  });

  test.each<[string, unknown, unknown, string]>([
    ["a text", "a", "b", ""],
    ["an empty text", "", " ", ""],
    ["an integer", 1, 2, "-- @claim x integer"],
    ["an integer as text, beyond 2^53", "9007199254740993", "9007199254740992", "-- @claim x integer"],
    ["a number's sign", 0, -0, "-- @claim x number"],
    ["a boolean", true, false, "-- @claim x boolean"],
    ["a member of an object", { y: 1 }, { y: 2 }, '-- @claim x ["x", "y"] integer'],
  ])("differs for %s", (_, one, other, head) => {
    expect(print({ x: one }, head)).not.toBe(print({ x: other }, head));
  });

  test("differs for other elements of a list, another order, and other borders", () => {
    const list = (x: string[]) => print({ x }, "-- @claim x string[]", "SELECT 1 IN (:jwt.x)");
    const all = [list(["a"]), list(["b"]), list(["a", "b"]), list(["b", "a"]), list(["a,b"])];
    expect(new Set(all).size).toBe(all.length);
  });

  test("differs if two claims have changed places", () => {
    const statement = "SELECT :jwt.x, :jwt.y";
    expect(print({ x: "a", y: "b" }, "", statement)).not.toBe(print({ x: "b", y: "a" }, "", statement));
  });
});
