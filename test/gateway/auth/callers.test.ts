// Runs on mysql only: the engine has no part in what it tests.
import { base64url, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSigningKey, mint } from "../../../servers/issuer/issuer.ts";
import { lineOf, logged } from "../support/ask.ts";
import type { Gateway } from "../support/harness.ts";
import { audience, expectProblem, issuers, read, sharedSecret, startGateway } from "../support/harness.ts";

let gateway: Gateway;
beforeAll(async () => {
  gateway = await startGateway();
});
afterAll(() => gateway?.close());

const claims = { aud: audience, sub: "someone", role: "analyst" };

/** Without an error code: there was no token. */
let challenge: string;
beforeAll(() => {
  const metadata = `${gateway.url.origin}/.well-known/oauth-protected-resource`;
  challenge = `Bearer realm="tidegate", resource_metadata="${metadata}"`;
});

async function call(authorization: string | undefined) {
  const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
  return await read(await gateway.fetch("/v1/queries/regions", { headers }));
}

describe("a token of each kind of issuer is accepted", () => {
  test("keys fetched from jwks_uri", async () => {
    const answer = await call(`Bearer ${await gateway.token()}`);
    expect(answer.status).toBe(200);
    expect(gateway.keyServer.fetches).toBe(1);
  });

  test("keys in the configuration", async () => {
    const answer = await call(`Bearer ${await mint(gateway.key, { ...claims, iss: issuers.fixed })}`);
    expect(answer.status).toBe(200);
  });

  test("a shared secret", async () => {
    const token = await new SignJWT({ ...claims, iss: issuers.secret })
      .setProtectedHeader({ alg: "HS256" })
      .setExpirationTime("1h")
      .sign(new TextEncoder().encode(sharedSecret));
    expect((await call(`Bearer ${token}`)).status).toBe(200);
  });

  test("the scheme's case does not matter, an array of audiences is one", async () => {
    const answer = await call(`bearer ${await gateway.token({ aud: ["other", audience] })}`);
    expect(answer.status).toBe(200);
  });
});

describe("all others stay out", () => {
  test("no token: 401 that names the scheme and no error", async () => {
    const answer = await call(undefined);
    expectProblem(answer, 401, "token_missing");
    expect(answer.headers.get("www-authenticate")).toBe(challenge);
  });

  test("another scheme: 401 that names ours and no error", async () => {
    const answer = await call("Basic dXNlcjpwYXNz");
    expectProblem(answer, 401, "token_missing");
    expect(answer.headers.get("www-authenticate")).toBe(challenge);
  });

  test.each([
    ["no token after the scheme", "Bearer "],
    ["not a JWS", "Bearer abc.def"],
    ["not base64url", "Bearer a+b.c/d.e=f"],
    ["two tokens", "Bearer a.b.c, Bearer a.b.c"],
    ["claims that are no JSON", "Bearer eyJhbGciOiJFUzI1NiJ9.bm90anNvbg.AAAA"],
    ["too long", `Bearer ${"a".repeat(9_000)}.b.c`],
  ])("malformed, %s", async (_, authorization) => {
    const answer = await call(authorization);
    expectProblem(answer, 401, "token_malformed");
    expect(answer.headers.get("www-authenticate")).toContain('error="invalid_token"');
  });

  test("signed by another key", async () => {
    const stranger = await createSigningKey();
    const token = await mint(stranger, { ...claims, iss: issuers.fixed });
    expectProblem(await call(`Bearer ${token}`), 401, "token_invalid");
  });

  test("signed by another key under the issuer's kid", async () => {
    const { privateKey } = await createSigningKey();
    const token = await mint(
      { privateKey, publicJwk: gateway.key.publicJwk },
      { ...claims, iss: issuers.remote },
    );
    expectProblem(await call(`Bearer ${token}`), 401, "token_invalid");
  });

  test("the payload was changed after signing", async () => {
    const [header, payload, signature] = (await gateway.token()).split(".") as [string, string, string];
    const changed = { ...JSON.parse(new TextDecoder().decode(base64url.decode(payload))), role: "editor" };
    const token = `${header}.${base64url.encode(JSON.stringify(changed))}.${signature}`;
    expectProblem(await call(`Bearer ${token}`), 401, "token_invalid");
  });

  test("without a signature (alg none)", async () => {
    const header = base64url.encode(JSON.stringify({ alg: "none" }));
    const payload = base64url.encode(JSON.stringify({ ...claims, iss: issuers.fixed, exp: 4e9 }));
    expectProblem(await call(`Bearer ${header}.${payload}.AA`), 401, "token_invalid");
  });

  test("expired", async () => {
    const token = await mint(
      gateway.key,
      { ...claims, iss: issuers.remote },
      { expires: Date.now() / 1000 - 60 },
    );
    const answer = await call(`Bearer ${token}`);
    expectProblem(answer, 401, "token_expired");
  });

  test.each([
    ["for another audience", { aud: "elsewhere" }],
    ["not valid yet", { nbf: Date.now() / 1000 + 600 }],
  ])("%s", async (_, wrong) => {
    expectProblem(await call(`Bearer ${await gateway.token(wrong)}`), 401, "token_invalid");
  });

  test.each([
    ["an unknown issuer", { iss: "https://evil.example" }],
    ["no issuer", { iss: undefined }],
  ])("%s", async (_, wrong) => {
    expectProblem(await call(`Bearer ${await gateway.token(wrong)}`), 401, "issuer_unknown");
  });
});

describe("what a caller may do is decided by the grants", () => {
  test("claims that no grant wants: 403", async () => {
    expectProblem(await call(`Bearer ${await gateway.token({ role: "visitor" })}`), 403, "access_denied");
  });

  test("an action that the grant does not allow: 403", async () => {
    const answer = await gateway.sql({
      sql: "INSERT INTO notes (city_id, author, body) VALUES (1, 'a', 'b')",
    });
    expectProblem(answer, 403, "access_denied");
    expect(answer.body.detail).toBe("The grant does not allow sql:write.");
  });

  test("an account of somebody else, asked for by name: 403, as for one that does not exist", async () => {
    const sql = "SELECT 1";
    const foreign = await gateway.sql({ sql }, { headers: { "tidegate-account": "editor" } });
    const unknown = await gateway.sql({ sql }, { headers: { "tidegate-account": "nobody" } });
    expectProblem(foreign, 403, "access_denied");
    expect(foreign.body.detail).toBe(unknown.body.detail);
  });

  test("one of the caller's several accounts, chosen by name", async () => {
    const role = ["analyst", "editor"];
    const authorization = `Bearer ${await gateway.token({ role })}`;
    const who = async (headers: Record<string, string>) => {
      const init = { method: "POST", body: JSON.stringify({ sql: "SELECT CURRENT_USER() AS who" }) };
      const answer = await read(
        await gateway.fetch("/v1/sql", {
          ...init,
          headers: { authorization, "content-type": "application/json", ...headers },
        }),
      );
      return answer.body.rows[0].who as string;
    };
    expect(await who({})).toContain("editor");
    expect(await who({ "tidegate-account": "analyst" })).toContain("analyst");
  });
});

test("a remembered token gives each account by its own grant only, in any order", async () => {
  const grant = { issuer: issuers.fixed, claims: { role: "both" } };
  const own = await startGateway({
    grants: [
      { ...grant, account: "editor", allow: ["sql:read", "sql:write"] },
      { ...grant, account: "analyst", allow: ["query:regions"], max_rows: 2 },
    ],
  });
  try {
    const authorization = `Bearer ${await own.token({ iss: issuers.fixed, role: "both" })}`;
    const ask = async (path: string, account: string | undefined) => {
      const headers = { authorization, ...(account === undefined ? {} : { "tidegate-account": account }) };
      const sql = { method: "POST", body: '{"sql":"SELECT 1"}' };
      const type = { "content-type": "application/json" };
      const answer = await read(
        await own.fetch(
          path,
          path === "/v1/sql" ? { ...sql, headers: { ...headers, ...type } } : { headers },
        ),
      );
      return [answer.status, answer.body.code, (await lineOf(own, answer))?.account];
    };
    for (let round = 0; round < 3; round++) {
      expect(await ask("/v1/sql", undefined)).toEqual([200, undefined, "editor"]);
      expect(await ask("/v1/queries/regions", undefined)).toEqual([403, "access_denied", undefined]);
      // More rows than that grant allows.
      expect(await ask("/v1/queries/regions", "analyst")).toEqual([413, "result_too_large", "analyst"]);
      expect(await ask("/v1/sql", "analyst")).toEqual([403, "access_denied", undefined]);
      expect(await ask("/v1/sql", "nobody")).toEqual([403, "access_denied", undefined]);
      expect(await ask("/v1/sql", "editor")).toEqual([200, undefined, "editor"]);
    }
    const tokens = logged(own, "request").map(({ token }) => token);
    expect(tokens).toEqual(["verified", ...Array.from({ length: 17 }, () => "remembered")]);
  } finally {
    await own.close();
  }
});

describe("an issuer that is down", () => {
  test("gives 503 with Retry-After to its own tokens, and does not disturb the others", async () => {
    const other = await startGateway();
    try {
      await other.keyServer.stop();
      const remote = await mint(other.key, { ...claims, iss: issuers.remote });
      const fixed = await mint(other.key, { ...claims, iss: issuers.fixed });
      const ask = async (token: string) =>
        await read(
          await other.fetch("/v1/queries/regions", { headers: { authorization: `Bearer ${token}` } }),
        );
      const refused = await ask(remote);
      expectProblem(refused, 503, "keys_unavailable");
      expect(refused.body.retryable).toBe(true);
      expect((await ask(fixed)).status).toBe(200);
    } finally {
      await other.close();
    }
  });
});
