import { describe, expect, test } from "vitest";
import { parsePolicy } from "../../../src/config/policy.ts";
import { change, good, mistakesOf } from "./example.ts";

const issuer = "https://id.example.com/";

function mistakes(docs: unknown, parts: Record<string, unknown> = {}, environment = "production") {
  const policy = change({ ...good(), docs }, parts);
  return mistakesOf(() => parsePolicy(policy, environment, []));
}

test("a page with a login, and one without, are accepted", () => {
  expect(mistakes({ issuer, client_id: "docs" })).toEqual([]);
  expect(mistakes({ issuer, client_id: "docs", scope: "openid" })).toEqual([]);
  expect(mistakes({})).toEqual([]);
  expect(mistakes(undefined)).toEqual([]);
});

describe("the mistake is named", () => {
  const loopback = {
    "issuers[0].issuer": "http://127.0.0.1:8788",
    "grants[0].issuer": "http://127.0.0.1:8788",
  };

  test.each<[string, unknown, Record<string, unknown>, string[]]>([
    ["no client", { issuer }, {}, ["docs.client_id: is missing; the login needs it"]],
    [
      "a client without its issuer",
      { client_id: "docs" },
      {},
      ["docs.issuer: is missing; without a login leave out client_id and scope too"],
    ],
    [
      "an issuer whose tokens the gateway does not take",
      { issuer: "https://other.example.com", client_id: "docs" },
      {},
      [`docs.issuer: no issuer "https://other.example.com" is configured`],
    ],
    [
      "an issuer without TLS",
      { issuer: "http://127.0.0.1:8788", client_id: "docs" },
      loopback,
      [
        "docs.issuer: must be an https URL, where a browser can log in (http only for loopback in development)",
      ],
    ],
    [
      "an issuer that is no address",
      { issuer: "batch", client_id: "docs" },
      { "issuers[0].issuer": "batch", "grants[0].issuer": "batch" },
      [
        "docs.issuer: must be an https URL, where a browser can log in (http only for loopback in development)",
      ],
    ],
    [
      "tokens that are always bound to a key",
      { issuer, client_id: "docs" },
      { "issuers[0].dpop": "required" },
      [`docs.issuer: has dpop = "required", but the page sends its token without a proof`],
    ],
    ["a table that is none", true, {}, [expect.stringMatching(/^docs: /) as unknown as string]],
  ])("%s", (_, docs, parts, expected) => {
    expect(mistakes(docs, parts)).toEqual(expected);
  });

  test("an issuer on loopback is one for development", () => {
    const docs = { issuer: "http://127.0.0.1:8788", client_id: "docs" };
    expect(mistakes(docs, loopback, "development")).toEqual([]);
  });
});
