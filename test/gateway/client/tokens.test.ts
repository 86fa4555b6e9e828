// Runs on mariadb only: the engine has no part in what it tests.
import { generateKeyPair, generateProof } from "dpop";
import { calculateJwkThumbprint, exportJWK } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Token } from "../../../client/index.ts";
import { createClient, type TidegateError } from "../../../client/index.ts";
import { createSigningKey, mint } from "../../../servers/issuer/issuer.ts";
import type { Gateway } from "../support/harness.ts";
import { audience, startGateway } from "../support/harness.ts";
import type { Clock } from "../support/world.ts";
import { clockOf } from "../support/world.ts";

/** Tokens of `tidegate/client`: refused ones, new ones, and those that are bound to a key. */

const key = await createSigningKey();
const issuerOf = (dpop: "off" | "required") => `http://issuer.test/${dpop}`;

let gateway: Gateway;
let clock: Clock;
beforeAll(async () => {
  const modes = ["off", "required"] as const;
  gateway = await startGateway({
    entry: "clock",
    issuers: modes.map((dpop) => ({
      issuer: issuerOf(dpop),
      audience,
      algorithms: ["ES256"],
      jwks: { keys: [key.publicJwk] },
      dpop,
    })),
    grants: modes.map((mode) => ({
      issuer: issuerOf(mode),
      account: "analyst",
      allow: ["query:*", "sql:read"],
    })),
  });
  clock = clockOf(gateway);
});
afterAll(() => gateway?.close());

const claims = { iss: issuerOf("off"), aud: audience, sub: "someone" };
/** @param seconds from the gateway's time on */
const fresh = (seconds = 60) =>
  mint(
    key,
    { ...claims, exp: Math.floor(clock.now() / 1000) + seconds },
    { expires: Math.floor(clock.now() / 1000) + seconds },
  );
const expired = () => mint(key, claims, { expires: Math.floor(clock.now() / 1000) - 3600 });

interface Source {
  token: Token;
  /** What the function was called with. */
  asked: boolean[];
}

/** An application that keeps its token, and gets another when the gateway refuses it. */
function session(first: string, next: () => Promise<string>): Source {
  let current = first;
  const asked: boolean[] = [];
  const token: Token = async ({ refused }) => {
    asked.push(refused);
    if (refused) current = await next();
    return current;
  };
  return { token, asked };
}

/** A client, and the requests that it sends. */
function connect(token: Token) {
  const sent: string[] = [];
  const db = createClient({
    url: gateway.url,
    token,
    retry: { tries: 1 },
    async fetch(url, init) {
      const { authorization } = init.headers as Record<string, string>;
      gateway.watchToken(authorization ?? "");
      sent.push(authorization ?? "");
      return await fetch(url, init);
    },
  });
  return { db, sent };
}

const codeOf = (error: unknown) => (error as TidegateError).code;

// This comes first: the library's proofs are of the real time.
describe("a token that is bound to a key", () => {
  test("goes with a proof for each request, with the gateway's nonce", async () => {
    const pair = await generateKeyPair("ES256", { extractable: true });
    const jkt = await calculateJwkThumbprint(await exportJWK(pair.publicKey));
    const token = await mint(
      key,
      { ...claims, iss: issuerOf("required"), cnf: { jkt } },
      { expires: Math.floor(clock.now() / 1000) + 600 },
    );
    gateway.watchToken(token);
    const nonces: (string | undefined)[] = [];
    const db = createClient({
      url: gateway.url,
      token,
      retry: { tries: 1 },
      dpop(request) {
        nonces.push(request.nonce);
        return generateProof(pair, request.url, request.method, request.nonce, request.token);
      },
    });
    expect(await db.sql`SELECT 'x' AS x`).toEqual([{ x: "x" }]);
    expect(await db.query.citiesByCountry?.({ country: "JP", limit: 1 }, { method: "GET" })).toMatchObject([
      { name: "Tokyo" },
    ]);
    expect(nonces).toEqual([undefined, expect.any(String), nonces[1]]);
    const forged = createClient({
      url: gateway.url,
      token,
      dpop: ({ url, method, nonce }) => generateProof(pair, url, method, nonce, "another token"),
    });
    expect(await forged.sql`SELECT 1`.catch(codeOf)).toBe("proof_invalid");
  });
});

describe("a token that was refused", () => {
  test("is renewed once, and the request is sent again", async () => {
    const { token, asked } = session(await expired(), fresh);
    const { db, sent } = connect(token);
    expect(await db.sql`SELECT 'x' AS x`).toEqual([{ x: "x" }]);
    expect([asked, sent.length]).toEqual([[false, true], 2]);
    expect(await db.sql`SELECT 'x' AS x`).toEqual([{ x: "x" }]);
    expect([asked, sent.length]).toEqual([[false, true, false], 3]);
  });

  test("is renewed once for requests that are sent at a time", async () => {
    const { token, asked } = session(await expired(), fresh);
    const { db } = connect(token);
    const answers = await Promise.all(Array.from({ length: 8 }, () => db.sql`SELECT 'x' AS x`));
    expect(answers).toEqual(Array(8).fill([{ x: "x" }]));
    expect(asked.filter((refused) => refused)).toEqual([true]);
  });

  test("is renewed again when it has expired once more", async () => {
    const { token, asked } = session(await fresh(), fresh);
    const { db } = connect(token);
    await db.sql`SELECT 1`;
    for (let round = 0; round < 2; round++) {
      await clock.pass(200_000);
      await db.sql`SELECT 1`;
    }
    expect(asked).toEqual([false, false, true, false, true]);
  });

  test("is an error if the next one is refused too, or if it is a text", async () => {
    const { token, asked } = session(await expired(), expired);
    const { db, sent } = connect(token);
    expect(await db.sql`SELECT 1`.catch(codeOf)).toBe("token_expired");
    expect([asked, sent.length]).toEqual([[false, true], 2]);
    const text = await expired();
    const { db: fixed, sent: once } = connect(text);
    const error = await fixed.sql`SELECT 1`.catch((cause: TidegateError) => cause);
    expect(error).toMatchObject({ code: "token_expired", status: 401 });
    expect(once.length).toBe(1);
    expect(JSON.stringify(error) + String(error)).not.toContain(text);
  });

  test("an error of the function is the caller's own", async () => {
    const { db, sent } = connect(() => {
      throw new RangeError("logged out");
    });
    await expect(db.sql`SELECT 1`).rejects.toThrow(new RangeError("logged out"));
    expect(sent).toEqual([]);
    const { db: broken } = connect(async () => "secret\ntoken");
    const error = await broken.sql`SELECT 1`.catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).not.toContain("secret");
  });
});

test("a token that ends in the middle of a stream does not end it; the next request gets another", async () => {
  const { token, asked } = session(await fresh(), fresh);
  const { db } = connect(token);
  let rows = 0;
  for await (const _ of db.sql`SELECT a.id, b.name FROM cities AS a, cities AS b LIMIT 60000`.stream()) {
    if (rows++ === 0) await clock.pass(3_600_000);
  }
  expect([rows, asked]).toEqual([60_000, [false]]);
  await db.sql`SELECT 1`;
  expect(asked).toEqual([false, false, true]);
});

test("two tabs with one session: the second one takes the token that the first one got", async () => {
  // What both tabs see, such as localStorage.
  const shared = { token: await expired() };
  let renewals = 0;
  const tab = () => {
    // A tab reads the storage once, and again when its token is refused.
    let own = shared.token;
    return connect(async ({ refused, previous }) => {
      if (refused && previous === shared.token) {
        renewals++;
        shared.token = await fresh();
      }
      if (refused) own = shared.token;
      return own;
    });
  };
  const tabs = [tab(), tab()];
  for (const { db, sent } of tabs) {
    expect(await db.sql`SELECT 'x' AS x`).toEqual([{ x: "x" }]);
    expect(sent.length).toBe(2);
  }
  expect(renewals).toBe(1);
});
