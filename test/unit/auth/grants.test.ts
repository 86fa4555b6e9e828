import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Caller } from "../../../src/auth/caller.ts";
import type { Action } from "../../../src/auth/grants.ts";
import { allows, demandOf, explain, grantOf } from "../../../src/auth/grants.ts";
import type { Grant } from "../../../src/config/schema.ts";
import { refusal } from "./refusal.ts";

const issuer = "https://id.example.com/";

function grant(account: string, claims: Grant["claims"], ...allow: string[]): Grant {
  return {
    issuer,
    account,
    claims,
    deadline_ms: 15_000,
    max_transactions: 2,
    allow: allow.length > 0 ? allow : ["query:*", "sql:read"],
  };
}

function caller(claims: Record<string, unknown>, from = issuer): Caller {
  return { issuer: from, subject: "s", claims };
}

const editor = grant("editor", { role: "editor" }, "query:*", "sql:read", "sql:write");
const analyst = grant("analyst", { role: "analyst" });

interface Case {
  grants: Grant[];
  claims: Record<string, unknown>;
  action?: Action;
  wanted?: string;
  from?: string;
}

/** Claims parsed from JSON like a token's. In JSON, `__proto__` is an ordinary name. */
function json(text: string): Record<string, string> {
  return JSON.parse(text);
}

function decided({ grants, claims, action = "sql:read", wanted, from }: Case): string {
  const grant = grantOf(grants, caller(claims, from), wanted);
  demandOf(grant, action);
  return grant.account;
}

describe("gives the account", () => {
  const table: [string, Case, string][] = [
    ["of the grant that matches", { grants: [editor, analyst], claims: { role: "analyst" } }, "analyst"],
    [
      "of the first of several",
      { grants: [grant("a", {}), grant("b", {}), grant("c", {})], claims: {} },
      "a",
    ],
    ["to everybody of the issuer when no claim is asked for", { grants: [grant("a", {})], claims: {} }, "a"],
    [
      "when every claim holds",
      { grants: [grant("a", { role: "r", tenant: "t" })], claims: { role: "r", tenant: "t", more: 1 } },
      "a",
    ],
    [
      "by membership in an array claim",
      { grants: [analyst], claims: { role: ["reader", "analyst"] } },
      "analyst",
    ],
    ["by a number", { grants: [grant("a", { level: 3 })], claims: { level: 3 } }, "a"],
    ["by a number in an array", { grants: [grant("a", { level: 3 })], claims: { level: [1, 3] } }, "a"],
    ["by a boolean", { grants: [grant("a", { admin: true })], claims: { admin: true } }, "a"],
    ["by false", { grants: [grant("a", { guest: false })], claims: { guest: false } }, "a"],
    ["by an empty text", { grants: [grant("a", { tenant: "" })], claims: { tenant: "" } }, "a"],
    [
      "by a claim with a URL for a name",
      { grants: [grant("a", { "https://x/roles": "r" })], claims: { "https://x/roles": ["r"] } },
      "a",
    ],
    [
      "that is asked for, though an earlier grant matches",
      { grants: [editor, analyst], claims: { role: ["editor", "analyst"] }, wanted: "analyst" },
      "analyst",
    ],
    [
      "that is asked for and is the first anyway",
      { grants: [editor, analyst], claims: { role: ["editor", "analyst"] }, wanted: "editor" },
      "editor",
    ],
    [
      "that is asked for by the first grant of that account that matches",
      { grants: [grant("a", { x: "1" }), grant("a", { y: "1" })], claims: { y: "1" }, wanted: "a" },
      "a",
    ],
    [
      "for a saved query by name",
      { grants: [grant("a", {}, "query:orders")], claims: {}, action: "query:orders" },
      "a",
    ],
    [
      "for any saved query by query:*",
      { grants: [grant("a", {}, "query:*")], claims: {}, action: "query:orders" },
      "a",
    ],
    ["for sql:write", { grants: [editor], claims: { role: "editor" }, action: "sql:write" }, "editor"],
    ["for sql:ddl", { grants: [grant("a", {}, "sql:ddl")], claims: {}, action: "sql:ddl" }, "a"],
    ["for transaction", { grants: [grant("a", {}, "transaction")], claims: {}, action: "transaction" }, "a"],
    ["for operate", { grants: [grant("a", {}, "operate")], claims: {}, action: "operate" }, "a"],
    ["for metrics", { grants: [grant("a", {}, "metrics")], claims: {}, action: "metrics" }, "a"],
    [
      "by a claim named __proto__ that the token really has",
      { grants: [grant("a", json('{"__proto__":"x"}'))], claims: json('{"__proto__":"x"}') },
      "a",
    ],
    [
      "by a claim named constructor that the token really has",
      { grants: [grant("a", { constructor: "x" } as never)], claims: { constructor: "x" } },
      "a",
    ],
  ];
  test.each(table)("%s", (_, given, account) => {
    expect(decided(given)).toBe(account);
  });
});

describe("denies", () => {
  const noMatch = "No grant matches the token's claims.";
  const notGiven = "No grant gives the account asked for.";
  const table: [string, Case, string][] = [
    ["everybody when there is no grant", { grants: [], claims: { role: "editor" } }, noMatch],
    ["a token without the claim", { grants: [editor], claims: {} }, noMatch],
    ["another value", { grants: [editor], claims: { role: "analyst" } }, noMatch],
    ["another letter case", { grants: [editor], claims: { role: "Editor" } }, noMatch],
    ["a value that only begins alike", { grants: [editor], claims: { role: "editor2" } }, noMatch],
    ["values joined in one text", { grants: [editor], claims: { role: "editor analyst" } }, noMatch],
    ["one of two claims", { grants: [grant("a", { x: "1", y: "1" })], claims: { x: "1" } }, noMatch],
    ["an array without the value", { grants: [editor], claims: { role: ["analyst"] } }, noMatch],
    ["an empty array", { grants: [editor], claims: { role: [] } }, noMatch],
    ["an array in an array", { grants: [editor], claims: { role: [["editor"]] } }, noMatch],
    ["an object", { grants: [editor], claims: { role: { editor: true } } }, noMatch],
    ["null", { grants: [editor], claims: { role: null } }, noMatch],
    ["a number for a text", { grants: [grant("a", { level: "3" })], claims: { level: 3 } }, noMatch],
    ["a text for a number", { grants: [grant("a", { level: 3 })], claims: { level: "3" } }, noMatch],
    ["1 for true", { grants: [grant("a", { admin: true })], claims: { admin: 1 } }, noMatch],
    ['"true" for true', { grants: [grant("a", { admin: true })], claims: { admin: "true" } }, noMatch],
    ["an absent claim for false", { grants: [grant("a", { guest: false })], claims: {} }, noMatch],
    ["an absent claim for an empty text", { grants: [grant("a", { tenant: "" })], claims: {} }, noMatch],
    [
      "another issuer's token with the same claims",
      { grants: [editor], claims: { role: "editor" }, from: "https://other.example.com/" },
      noMatch,
    ],
    [
      "an issuer that differs in its last slash",
      { grants: [editor], claims: { role: "editor" }, from: "https://id.example.com" },
      noMatch,
    ],
    [
      "the issuer's name in a claim of another's token",
      { grants: [editor], claims: { iss: issuer, role: "editor" }, from: "https://other.example.com/" },
      noMatch,
    ],
    [
      "an account that the claims do not give",
      { grants: [editor, analyst], claims: { role: "analyst" }, wanted: "editor" },
      notGiven,
    ],
    [
      "an account that does not exist, in the same words",
      { grants: [editor, analyst], claims: { role: "analyst" }, wanted: "root" },
      notGiven,
    ],
    ["an empty account", { grants: [grant("a", {})], claims: {}, wanted: "" }, notGiven],
    ["an account in other letters", { grants: [grant("a", {})], claims: {}, wanted: "A" }, notGiven],
    ["an account with a space", { grants: [grant("a", {})], claims: {}, wanted: "a " }, notGiven],
    ["two accounts", { grants: [grant("a", {})], claims: {}, wanted: "a, b" }, notGiven],
    ["an account named __proto__", { grants: [grant("a", {})], claims: {}, wanted: "__proto__" }, notGiven],
    [
      "what the first grant does not allow, though a later one would",
      { grants: [grant("a", {}, "sql:read"), grant("b", {}, "sql:write")], claims: {}, action: "sql:write" },
      "The grant does not allow sql:write.",
    ],
    [
      "what the first grant of the account asked for does not allow",
      {
        grants: [grant("a", {}, "sql:read"), grant("a", {}, "sql:write")],
        claims: {},
        action: "sql:write",
        wanted: "a",
      },
      "The grant does not allow sql:write.",
    ],
    [
      "sql:read by query:*",
      { grants: [grant("a", {}, "query:*")], claims: {}, action: "sql:read" },
      "The grant does not allow sql:read.",
    ],
    [
      "transaction by sql:write",
      { grants: [grant("a", {}, "sql:write")], claims: {}, action: "transaction" },
      "The grant does not allow transaction.",
    ],
    [
      "operate by everything else",
      {
        grants: [grant("a", {}, "query:*", "sql:read", "sql:write", "sql:ddl", "transaction")],
        claims: {},
        action: "operate",
      },
      "The grant does not allow operate.",
    ],
    [
      "anything else by operate",
      { grants: [grant("a", {}, "operate")], claims: {}, action: "sql:read" },
      "The grant does not allow sql:read.",
    ],
    [
      "a saved query by operate",
      { grants: [grant("a", {}, "operate")], claims: {}, action: "query:operate" },
      "The grant does not allow query:operate.",
    ],
    [
      "sql:server by everything else",
      {
        grants: [grant("a", {}, "query:*", "sql:read", "sql:write", "sql:ddl", "transaction", "operate")],
        claims: {},
        action: "sql:server",
      },
      "The grant does not allow sql:server.",
    ],
    [
      "sql:ddl by sql:write",
      { grants: [grant("a", {}, "sql:write")], claims: {}, action: "sql:ddl" },
      "The grant does not allow sql:ddl.",
    ],
    [
      "sql:read by sql:write",
      { grants: [grant("a", {}, "sql:write")], claims: {}, action: "sql:read" },
      "The grant does not allow sql:read.",
    ],
    [
      "another saved query",
      { grants: [grant("a", {}, "query:orders")], claims: {}, action: "query:orders2" },
      "The grant does not allow query:orders2.",
    ],
    [
      "a query whose name is a star",
      { grants: [grant("a", {}, "query:orders")], claims: {}, action: "query:*" },
      "The grant does not allow query:*.",
    ],
  ];
  test.each(table)("%s", async (_, given, detail) => {
    const error = await refusal(() => decided(given));
    expect(error).toMatchObject({ code: "access_denied", status: 403, retryable: false });
    expect(error.message).toBe(detail);
  });
});

describe("a member that every object inherits is not a claim", () => {
  const inherited = [
    "constructor",
    "toString",
    "valueOf",
    "hasOwnProperty",
    "isPrototypeOf",
    "__proto__",
    "__defineGetter__",
  ];
  test.each(inherited)("%s", async (name) => {
    const claims = json(`{${JSON.stringify(name)}:"x"}`);
    expect(await refusal(() => decided({ grants: [grant("a", claims)], claims: {} }))).toMatchObject({
      code: "access_denied",
    });
  });

  test("a member that an object of claims inherits is not a claim", async () => {
    const claims = Object.create({ role: "editor" });
    expect(await refusal(() => decided({ grants: [editor], claims }))).toMatchObject({
      code: "access_denied",
    });
  });

  test("a token's __proto__ gives it no claims", async () => {
    const claims = JSON.parse('{"__proto__":{"role":"editor"}}');
    expect(await refusal(() => decided({ grants: [editor], claims }))).toMatchObject({
      code: "access_denied",
    });
  });
});

test("an account is given only by a grant of the caller's issuer whose claims the token has", () => {
  const value = fc.constantFrom<string | number | boolean>("x", "y", 1, true);
  const claims = fc.dictionary(fc.constantFrom("a", "b", "__proto__", "constructor"), value);
  const grants = fc.array(
    fc.record({
      issuer: fc.constantFrom("i", "j"),
      account: fc.constantFrom("p", "q"),
      claims,
      deadline_ms: fc.constant(15_000),
      max_transactions: fc.constant(2),
      allow: fc.subarray(["sql:read", "sql:write"]),
    }),
  );
  const token = fc.dictionary(
    fc.constantFrom("a", "b", "__proto__", "constructor"),
    fc.oneof(value, fc.array(value)),
  );
  fc.assert(
    fc.property(
      grants,
      token,
      fc.constantFrom("i", "j"),
      fc.constantFrom(undefined, "p", "q", "r"),
      (all, held, from, wanted) => {
        const has = ([name, expected]: [string, unknown]) => {
          const found = Object.getOwnPropertyDescriptor(held, name)?.value;
          return Array.isArray(found) ? found.includes(expected) : found === expected;
        };
        const first = all.find(
          (one) =>
            one.issuer === from &&
            (wanted ?? one.account) === one.account &&
            Object.entries(one.claims).every(has),
        );
        const expected = first?.allow.includes("sql:read") ? first.account : undefined;
        let found: string | undefined;
        try {
          const given = grantOf(all, caller(held, from), wanted);
          demandOf(given, "sql:read");
          found = given.account;
        } catch {
          found = undefined;
        }
        expect(found).toBe(expected);
      },
    ),
  );
});

describe("claims inside claims", () => {
  const nested = grant("a", { realm_access: { roles: "analyst", level: 2 } });
  const table: [string, Record<string, unknown>, boolean][] = [
    [
      "member of an inner array, and an inner value",
      { realm_access: { roles: ["x", "analyst"], level: 2 } },
      true,
    ],
    ["one of two does not hold", { realm_access: { roles: ["analyst"], level: 3 } }, false],
    ["the inner claim is missing", { realm_access: { level: 2 } }, false],
    ["the outer claim is missing", {}, false],
    ["the outer claim is text", { realm_access: "analyst" }, false],
    ["the outer claim is a list with the object", { realm_access: [{ roles: "analyst", level: 2 }] }, true],
    ["a claim whose name is the path", { "realm_access.roles": "analyst", "realm_access.level": 2 }, false],
    [
      "inherited members do not count",
      { realm_access: Object.create({ roles: "analyst", level: 2 }) },
      false,
    ],
  ];
  test.each(table)("%s", (_, claims, matches) => {
    const { account } = explain([nested], caller(claims), "sql:read", undefined);
    expect(account).toBe(matches ? "a" : undefined);
  });
});

describe("a list of objects", () => {
  const nested = grant("a", { orgs: { id: 7, role: "admin", tags: "x" } });
  const whole = { id: 7, role: "admin", tags: ["y", "x"] };
  const table: [string, unknown, boolean][] = [
    ["one that fits", [whole], true],
    ["one that fits behind others", [{ id: 1 }, "x", null, 7, whole], true],
    [
      "two that fit together only",
      [
        { id: 7, tags: "x" },
        { id: 8, role: "admin", tags: "x" },
      ],
      false,
    ],
    ["the id as a text", [{ ...whole, id: "7" }], false],
    ["the role in other letters", [{ ...whole, role: "Admin" }], false],
    ["an inner list without the value", [{ ...whole, tags: ["y"] }], false],
    ["a list in the list", [[whole]], false],
    ["no objects", ["admin", 7, "x"], false],
    ["an empty list", [], false],
    ["an object that inherits", [Object.create(whole)], false],
  ];
  test.each(table)("%s", (_, orgs, matches) => {
    const { account } = explain([nested], caller({ orgs }), "sql:read", undefined);
    expect(account).toBe(matches ? "a" : undefined);
  });

  test("in a list of objects", () => {
    const deep = grant("a", { orgs: { id: 7, teams: { id: 1, lead: true } } });
    const asked = (teams: unknown) =>
      explain([deep], caller({ orgs: [{ id: 7, teams }] }), "sql:read", undefined).account;
    expect(
      asked([
        { id: 2, lead: true },
        { id: 1, lead: true },
      ]),
    ).toBe("a");
    expect(
      asked([
        { id: 2, lead: true },
        { id: 1, lead: false },
      ]),
    ).toBeUndefined();
  });
});

describe("a claim's name is one name, whatever is in it", () => {
  test.each(["cognito:groups", "https://app/roles", "kubernetes.io", "a b", "тenant", '"', "", "a-b", "0"])(
    "%j",
    (name) => {
      const one = grant("a", { [name]: { "in.ner": "x" } });
      const account = (claims: Record<string, unknown>) =>
        explain([one], caller(claims), "sql:read", undefined).account;
      expect(account({ [name]: { "in.ner": "x" } })).toBe("a");
      expect(account({ [name]: { in: { ner: "x" } } })).toBeUndefined();
      expect(account({ [`${name} `]: { "in.ner": "x" } })).toBeUndefined();
    },
  );

  test("and no path", () => {
    const one = grant("a", { "kubernetes.io": { namespace: "prod" } });
    const claims = { kubernetes: { io: { namespace: "prod" } } };
    expect(explain([one], caller(claims), "sql:read", undefined).account).toBeUndefined();
  });

  test("stands in a mismatch as a key of TOML", () => {
    const one = grant("a", { "kubernetes.io": { "x-y": { "a b": 1 } } });
    const { matches } = explain([one], caller({ "kubernetes.io": { "x-y": {} } }), "sql:read", undefined);
    expect(matches[0]?.mismatch).toBe('wants "kubernetes.io".x-y."a b" to be 1');
  });
});

describe("numbers", () => {
  const seven = grant("a", { id: 7 });
  test.each<[string, boolean]>([
    ["7", true],
    ["7.0", true],
    ["0.7e1", true],
    ["[6,7]", true],
    ['"7"', false],
    ["7.5", false],
    ["-7", false],
    ["true", false],
    ["null", false],
    ['["7"]', false],
    ["[[7]]", false],
  ])("%s", (text, matches) => {
    const claims = JSON.parse(`{"id":${text}}`);
    expect(explain([seven], caller(claims), "sql:read", undefined).account).toBe(matches ? "a" : undefined);
  });

  test("a number that has lost digits equals none of a policy", () => {
    const largest = grant("a", { id: Number.MAX_SAFE_INTEGER });
    for (const text of [
      "9007199254740992",
      "9007199254740993",
      "90071992547409910",
      "1e400",
      "-9007199254740993",
    ])
      expect(
        explain([largest], caller(JSON.parse(`{"id":${text}}`)), "sql:read", undefined).account,
      ).toBeUndefined();
  });
});

describe("scopes", () => {
  const one = { ...grant("a", {}), scopes: ["sql:read"] };
  const two = { ...grant("a", {}), scopes: ["sql:read", "openid"] };
  const table: [string, Grant, Record<string, unknown>, boolean][] = [
    ["the text", one, { scope: "sql:read" }, true],
    ["a word of a text", one, { scope: "openid sql:read email" }, true],
    ["a text in scp", one, { scp: "openid sql:read" }, true],
    ["a list in scp", one, { scp: ["openid", "sql:read"] }, true],
    ["a list in scope", one, { scope: ["sql:read"] }, true],
    ["in one of both", one, { scope: "openid", scp: ["sql:read"] }, true],
    ["all of several", two, { scope: "sql:read email openid" }, true],
    ["several over both", two, { scope: "sql:read", scp: ["openid"] }, true],
    ["one of several", two, { scope: "sql:read" }, false],
    ["none", one, {}, false],
    ["empty", one, { scope: "", scp: [] }, false],
    ["a longer word", one, { scope: "sql:read-all" }, false],
    ["a word behind others", one, { scope: "xsql:read" }, false],
    ["other letters", one, { scope: "SQL:read" }, false],
    ["a tab between words", one, { scope: "openid\tsql:read" }, false],
    ["a comma between words", one, { scope: "openid,sql:read" }, false],
    ["several words in an element", one, { scp: ["openid sql:read"] }, false],
    ["a list in a list", one, { scp: [["sql:read"]] }, false],
    ["an object", one, { scope: { "sql:read": true } }, false],
    ["a number", one, { scope: 7, scp: true }, false],
    ["null", one, { scope: null, scp: [null] }, false],
    ["another claim", one, { scopes: "sql:read", Scope: "sql:read" }, false],
    ["an inherited one", one, Object.create({ scope: "sql:read" }), false],
  ];
  test.each(table)("%s", (_, given, claims, matches) => {
    const { account } = explain([given], caller(claims), "sql:read", undefined);
    expect(account).toBe(matches ? "a" : undefined);
  });

  test("that are missing are named", () => {
    const mismatch = (given: Grant, claims: Record<string, unknown>) =>
      explain([given], caller(claims), "sql:read", undefined).matches[0]?.mismatch;
    expect(mismatch(two, { scope: "openid" })).toBe("wants the scope sql:read");
    expect(mismatch(two, {})).toBe("wants the scopes sql:read, openid");
  });
});

describe("without a grant the log has the reason", () => {
  const reasonFor = async (grants: Grant[], claims: Record<string, unknown>, wanted?: string) => {
    const error = await refusal(() => grantOf(grants, caller(claims), wanted));
    expect(error.details.reason).toBe("no_grant_matches");
    return error.operator;
  };

  test("of each grant of the issuer, by the policy's words", async () => {
    const other = { ...grant("other", {}), issuer: "https://other.example.com/" };
    const scoped = { ...analyst, scopes: ["sql:read"] };
    expect(await reasonFor([other, editor, scoped], { role: "hidden-value" })).toBe(
      'grants[1] wants role to be "editor"; grants[2] wants the scope sql:read',
    );
    expect(await reasonFor([other, editor], { role: "editor" }, "analyst")).toBe(
      "grants[1] gives editor, not the account asked for",
    );
    expect(await reasonFor([other], {})).toBe("no grant is for the token's issuer");
  });

  test("of five at most, in a bounded text", async () => {
    const long = grant("a", { role: "x".repeat(10_000) });
    const reason = (await reasonFor(Array(8).fill(long), {})) ?? "";
    expect(reason.match(/grants\[/g)).toHaveLength(5);
    expect(reason).toMatch(/; 3 more$/);
    expect(reason.length).toBeLessThan(1_100);
  });
});

describe("a pattern for the subject", () => {
  const table: [string, string | undefined, boolean][] = [
    ["svc-*", "svc-reports", true],
    ["svc-*", "svc-", true],
    ["svc-*", "user-svc-1", false],
    ["svc-*", undefined, false],
    ["*@example.com", "ann@example.com", true],
    ["*@example.com", "ann@example.com.evil.org", false],
    ["a*b*c", "abc", true],
    ["a*b*c", "a-b-b-c", true],
    ["a*b*c", "acb", false],
    ["aa*aa", "aaa", false],
    ["*", "", true],
    ["ann", "ann", true],
    ["ann", "Ann", false],
    ["a.c", "abc", false],
  ];
  test.each(table)("%s and %s", (pattern, subject, matches) => {
    const grants = [{ ...grant("a", {}), subject: pattern }];
    const { account } = explain(grants, { issuer, subject, claims: {} }, "sql:read", undefined);
    expect(account).toBe(matches ? "a" : undefined);
  });

  test("matches in linear time", () => {
    const grants = [{ ...grant("a", {}), subject: `${"a*".repeat(50)}b` }];
    const { account } = explain(
      grants,
      { issuer, subject: "a".repeat(8_000), claims: {} },
      "sql:read",
      undefined,
    );
    expect(account).toBeUndefined();
  });
});

test("each grant gives the list of what it allows, and nothing more than it allows", () => {
  for (const [given, query] of [
    [grant("reader", {}, "query:regions"), true],
    [grant("other", {}, "query:country"), false],
    [grant("sql", {}, "sql:read"), false],
    [analyst, true],
  ] as const) {
    expect([allows(given, "queries"), allows(given, "query:regions")]).toEqual([true, query]);
  }
});

describe("explain", () => {
  test("says why each grant does not match, and which one decides", () => {
    const other = { ...grant("other", {}), issuer: "https://other.example.com/" };
    const grants = [other, { ...editor, subject: "admin" }, editor, analyst];
    const { matches, decisive, account, refusal } = explain(
      grants,
      caller({ role: "editor" }),
      "sql:ddl",
      undefined,
    );
    expect(matches.map(({ mismatch }) => mismatch)).toEqual([
      "is for another issuer",
      "wants sub to be admin",
      undefined,
      'wants role to be "analyst"',
    ]);
    expect(decisive).toBe(editor);
    expect(account).toBeUndefined();
    expect(refusal).toBe("The grant does not allow sql:ddl.");
  });
});
