import { describe, expect, test } from "vitest";
import { bundleAt } from "../../../../src/db/links/ca-bundle.ts";
import { LinkError } from "../../../../src/db/links/link.ts";

const authority = (pem: string, from: string, to: string) => ({
  pem,
  subject: `CN=${pem}`,
  notBefore: `${from}T00:00:00.000Z`,
  notAfter: `${to}T00:00:00.000Z`,
});
const old = authority("OLD", "2020-01-01", "2026-06-01");
const next = authority("NEW", "2026-01-01", "2036-01-01");

describe("the CAs of a bundle", () => {
  test.each([
    ["2025-12-31T23:59:59Z", "OLD"],
    ["2026-01-01T00:00:00Z", "OLD\nNEW"],
    ["2026-06-01T00:00:00Z", "OLD\nNEW"],
    ["2026-06-01T00:00:01Z", "NEW"],
  ])("at %s", (now, expected) => {
    expect(bundleAt([old, next], new Date(now))).toBe(expected);
  });

  test.each(["2019-12-31", "2036-01-02", "1970-01-01", "nothing"])("none of them at %s", (now) => {
    expect(() => bundleAt([old, next], new Date(now))).toThrow(LinkError);
  });
});
