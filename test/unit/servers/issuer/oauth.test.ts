import { describe, expect, test } from "vitest";
import type { AuthorizationRequest, OAuthError } from "../../../../servers/issuer/oauth.ts";
import {
  codeLifetimeMs,
  createCodes,
  readAuthorizationRequest,
  readReturnAddress,
  redirection,
} from "../../../../servers/issuer/oauth.ts";

/** The example of RFC 7636, appendix B. */
const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

const question = {
  response_type: "code",
  client_id: "page",
  redirect_uri: "http://127.0.0.1:8789/",
  state: "s t&a=te",
  code_challenge: challenge,
  code_challenge_method: "S256",
};

/** Leaves out members that are undefined. */
function parameters(members: Record<string, string | undefined>): URLSearchParams {
  return new URLSearchParams(
    Object.entries(members).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

function read(changes: Record<string, string | undefined> = {}): AuthorizationRequest {
  const all = parameters({ ...question, ...changes });
  return readAuthorizationRequest(all, readReturnAddress(all));
}

function codeOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    return (error as OAuthError).code;
  }
  return undefined;
}

describe("an authorization request", () => {
  test("is read, and its answer has its state", () => {
    const request = read();
    expect(request).toEqual({
      clientId: "page",
      redirectUri: "http://127.0.0.1:8789/",
      state: "s t&a=te",
      challenge,
    });
    const answer = new URL(
      redirection({ ...request, redirectUri: "http://127.0.0.1:1/?a=1" }, { code: "c" }),
    );
    expect(Object.fromEntries(answer.searchParams)).toEqual({ a: "1", code: "c", state: "s t&a=te" });
  });

  test.each(["http://localhost:5173/app", "http://[::1]:8080/"])("may return to %s", (redirect_uri) => {
    expect(read({ redirect_uri }).redirectUri).toBe(redirect_uri);
  });

  test.each([
    undefined,
    "",
    "/relative",
    "https://app.example.com/",
    "http://app.example.com/",
    "https://127.0.0.1/",
    "http://127.0.0.1.example.com/",
    "http://127.0.0.1@example.com/",
    "http://example.com@127.0.0.1/",
    "http://127.0.0.1/#",
    "javascript:alert(1)",
  ])("is never answered at %s", (redirect_uri) => {
    const address = parameters({ ...question, redirect_uri });
    expect(codeOf(() => readReturnAddress(address))).toBe("invalid_request");
  });

  test.each<[string, Record<string, string | undefined>, string]>([
    ["no PKCE", { code_challenge: undefined, code_challenge_method: undefined }, "invalid_request"],
    ["no method, which would mean plain", { code_challenge_method: undefined }, "invalid_request"],
    ["plain", { code_challenge_method: "plain" }, "invalid_request"],
    ["no challenge", { code_challenge: undefined }, "invalid_request"],
    ["a challenge that is no SHA-256", { code_challenge: "short" }, "invalid_request"],
    ["no client", { client_id: undefined }, "invalid_request"],
    ["no response_type", { response_type: undefined }, "invalid_request"],
    ["the implicit flow", { response_type: "token" }, "unsupported_response_type"],
  ])("is refused with %s", (_, changes, code) => {
    expect(codeOf(() => read(changes))).toBe(code);
  });

  test("is refused if it repeats a parameter", () => {
    const twice = parameters(question);
    twice.append("redirect_uri", "http://127.0.0.1:1/");
    expect(codeOf(() => readReturnAddress(twice))).toBe("invalid_request");
  });
});

describe("a code", () => {
  const redemption = (code: string, changes: Record<string, string | undefined> = {}) =>
    parameters({
      grant_type: "authorization_code",
      code,
      code_verifier: verifier,
      redirect_uri: question.redirect_uri,
      client_id: question.client_id,
      ...changes,
    });

  test("is redeemed once", () => {
    const codes = createCodes();
    const code = codes.issue(read(), "analyst", 0);
    expect(codes.redeem(redemption(code), 1)).toEqual({ role: "analyst", clientId: "page" });
    expect(codeOf(() => codes.redeem(redemption(code), 2))).toBe("invalid_grant");
  });

  test("is redeemed within a minute", () => {
    const codes = createCodes();
    const [early, late] = [codes.issue(read(), "analyst", 0), codes.issue(read(), "analyst", 0)];
    expect(codes.redeem(redemption(early), codeLifetimeMs - 1).role).toBe("analyst");
    expect(codeOf(() => codes.redeem(redemption(late), codeLifetimeMs))).toBe("invalid_grant");
  });

  test("stays valid when the next one is made", () => {
    const codes = createCodes();
    const first = codes.issue(read(), "analyst", 0);
    codes.issue(read(), "editor", 1);
    expect(codes.redeem(redemption(first), 2).role).toBe("analyst");
  });

  test.each<[string, Record<string, string | undefined>, string]>([
    ["another verifier", { code_verifier: `${verifier}x` }, "invalid_grant"],
    ["the challenge as the verifier", { code_verifier: challenge }, "invalid_grant"],
    ["another redirect_uri", { redirect_uri: "http://127.0.0.1:8789/other" }, "invalid_grant"],
    ["another client", { client_id: "other" }, "invalid_grant"],
  ])("is refused with %s, and gone", (_, changes, expected) => {
    const codes = createCodes();
    const code = codes.issue(read(), "analyst", 0);
    expect(codeOf(() => codes.redeem(redemption(code, changes), 1))).toBe(expected);
    expect(codeOf(() => codes.redeem(redemption(code), 1))).toBe("invalid_grant");
  });

  test.each<[string, Record<string, string | undefined>, string]>([
    ["no verifier", { code_verifier: undefined }, "invalid_request"],
    ["no grant_type", { grant_type: undefined }, "invalid_request"],
    ["another grant_type", { grant_type: "password" }, "unsupported_grant_type"],
  ])("is refused with %s", (_, changes, expected) => {
    const codes = createCodes();
    const code = codes.issue(read(), "analyst", 0);
    expect(codeOf(() => codes.redeem(redemption(code, changes), 1))).toBe(expected);
  });

  test("that was not issued is refused", () => {
    expect(codeOf(() => createCodes().redeem(redemption("invented"), 0))).toBe("invalid_grant");
  });
});
