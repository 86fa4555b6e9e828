import { describe, expect, test } from "vitest";
import { challengeOf } from "../../../src/auth/challenge.ts";
import type { ErrorCode } from "../../../src/errors.ts";
import { errorKinds, TidegateError } from "../../../src/errors.ts";

const algs = 'algs="ES256 ES384 ES512 EdDSA Ed25519 PS256 PS384 PS512 RS256 RS384 RS512"';

const url = new URL("https://gateway.example.com:8443/v1/sql?a=b");
const metadata = 'resource_metadata="https://gateway.example.com:8443/.well-known/oauth-protected-resource"';

describe("the challenge of", () => {
  const table: [ErrorCode, boolean, string | undefined][] = [
    ["token_missing", false, `Bearer realm="tidegate", ${metadata}`],
    ["token_missing", true, `Bearer realm="tidegate", ${metadata}, DPoP ${algs}, ${metadata}`],
    [
      "token_expired",
      true,
      `Bearer realm="tidegate", error="invalid_token", error_description="why", ${metadata}`,
    ],
    ["access_denied", true, `Bearer realm="tidegate", error="insufficient_scope", ${metadata}`],
    ["proof_missing", true, `DPoP error="invalid_token", error_description="why", ${algs}, ${metadata}`],
    ["proof_invalid", true, `DPoP error="invalid_dpop_proof", error_description="why", ${algs}, ${metadata}`],
    [
      "proof_nonce_required",
      true,
      `DPoP error="use_dpop_nonce", error_description="why", ${algs}, ${metadata}`,
    ],
    ["sql_denied", true, undefined],
    ["pool_full", true, undefined],
  ];
  test.each(table)("%s (%s)", (code, proofs, challenge) => {
    expect(challengeOf(new TidegateError(code, { detail: "why" }), { proofs, url })).toBe(challenge);
  });

  test.each(Object.entries(errorKinds).filter(([, { status }]) => status === 401))("%s is there", (code) => {
    const challenge = challengeOf(new TidegateError(code as ErrorCode), { proofs: true, url });
    expect(challenge).toMatch(/^(Bearer|DPoP) /);
    expect(challenge).toContain(metadata);
  });
});

test("a description has only the characters that it may have: no quotes, no backslashes, no others than ASCII", () => {
  const detail = 'a "b" \\ c\r\nроль~!';
  const challenge = challengeOf(new TidegateError("token_invalid", { detail }), { proofs: false, url });
  expect(challenge).toContain(`error_description="a 'b' ' c''''''~!"`);
});
