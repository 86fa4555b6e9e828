import { describe, expect, test } from "vitest";
import { challengeOf } from "../../../src/auth/challenge.ts";
import type { ErrorCode } from "../../../src/errors.ts";
import { errorKinds, TidegateError } from "../../../src/errors.ts";

const algs = 'algs="ES256 ES384 ES512 EdDSA Ed25519 PS256 PS384 PS512 RS256 RS384 RS512"';

describe("the challenge of", () => {
  const table: [ErrorCode, boolean, string | undefined][] = [
    ["token_missing", false, 'Bearer realm="tidegate"'],
    ["token_missing", true, `Bearer realm="tidegate", DPoP ${algs}`],
    ["token_expired", true, 'Bearer realm="tidegate", error="invalid_token", error_description="why"'],
    ["access_denied", true, 'Bearer realm="tidegate", error="insufficient_scope"'],
    ["proof_missing", true, `DPoP error="invalid_token", error_description="why", ${algs}`],
    ["proof_invalid", true, `DPoP error="invalid_dpop_proof", error_description="why", ${algs}`],
    ["proof_nonce_required", true, `DPoP error="use_dpop_nonce", error_description="why", ${algs}`],
    ["sql_denied", true, undefined],
    ["pool_full", true, undefined],
  ];
  test.each(table)("%s (%s)", (code, proofs, challenge) => {
    expect(challengeOf(new TidegateError(code, { detail: "why" }), proofs)).toBe(challenge);
  });

  test.each(Object.entries(errorKinds).filter(([, { status }]) => status === 401))("%s is there", (code) => {
    expect(challengeOf(new TidegateError(code as ErrorCode), true)).toMatch(/^(Bearer|DPoP) /);
  });
});

test("a description has only the characters that it may have: no quotes, no backslashes, no others than ASCII", () => {
  const detail = 'a "b" \\ c\r\nроль~!';
  const challenge = challengeOf(new TidegateError("token_invalid", { detail }), false);
  expect(challenge).toContain(`error_description="a 'b' ' c''''''~!"`);
});
