// Runs on mariadb only: the engine has no part in what it tests.
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:http";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { KeyServer } from "../../../servers/issuer/issuer.ts";
import { startKeyServer } from "../../../servers/issuer/issuer.ts";
import type { CountingProxy } from "../../../servers/wire/proxy.ts";
import { restored } from "../support/commands.ts";
import type { Gateway } from "../support/harness.ts";
import { startGateway, startProxy } from "../support/harness.ts";
import { algorithmFamilies } from "./tokens/algorithms.ts";
import type { Attempt, Family } from "./tokens/attempt.ts";
import { bearing } from "./tokens/attempt.ts";
import { claimFamilies } from "./tokens/claims.ts";
import { goodAttempts } from "./tokens/good.ts";
import { headerFamilies } from "./tokens/headers.ts";
import { attacker, issuerSections, kidOf, p256, publicJwk, wantedOf } from "./tokens/parties.ts";
import { policyFamilies } from "./tokens/policies.ts";
import { malleated, signatureFamilies } from "./tokens/signatures.ts";
import { spellingFamilies } from "./tokens/spellings.ts";
import { transportFamilies } from "./tokens/transport.ts";

// This server starts here, because the tokens name it and the tests are generated from the tokens.
const evil = await startKeyServer([publicJwk(attacker.p256.publicKey, "attacker")]);
const families: Family[] = [
  ...algorithmFamilies(),
  ...headerFamilies(evil.url),
  ...spellingFamilies(),
  ...claimFamilies(evil.url),
  ...signatureFamilies(),
  ...transportFamilies(),
  ...policyFamilies(),
];

let keyServer: KeyServer;
let proxy: CountingProxy;
let gateway: Gateway;
/** The hostile tokens: those that were tried, and below the numbers of wrong results. */
const tried = new Set<string>();
let accepted = 0;
let failed = 0;
let controls = 0;
let refused = 0;

beforeAll(async () => {
  keyServer = await startKeyServer([publicJwk(p256.publicKey, kidOf("ES256"))]);
  const issuers = issuerSections(keyServer.jwksUri);
  const everything = { account: "analyst", allow: ["query:*"] };
  const grants = issuers.map(({ issuer }) => ({ issuer, ...wantedOf(issuer), ...everything }));
  proxy = await startProxy();
  gateway = await startGateway({ cluster: { hosts: [`localhost:${proxy.port}`] }, issuers, grants });
});
afterAll(async () => {
  await gateway?.close();
  await Promise.all([keyServer?.stop(), proxy?.stop(), evil.stop()]);
});

interface Outcome {
  name: string;
  status: number;
  code: string | undefined;
  challenge: string | undefined;
}

/** Sends the header lines unchanged; fetch would join two lines of the same name. */
async function send({ name, headers, method, path, body }: Attempt): Promise<Outcome> {
  for (const [, value] of headers) gateway.watchToken(value);
  const lines = [["host", gateway.url.host], ...headers].flat();
  const sent = request(`${gateway.url.origin}${path}`, { method, headers: lines });
  sent.end(body);
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  const answer = await text(response);
  const { statusCode: status = 0 } = response;
  const isProblem = response.headers["content-type"] === "application/problem+json";
  const code = isProblem ? JSON.parse(answer).code : undefined;
  return { name, status, code, challenge: response.headers["www-authenticate"] };
}

/** Sends all attempts, a few at a time. */
async function sendAll(attempts: Attempt[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (let at = 0; at < attempts.length; at += 16) {
    outcomes.push(...(await Promise.all(attempts.slice(at, at + 16).map(send))));
  }
  return outcomes;
}

async function expectGood(): Promise<void> {
  const outcomes = await sendAll(goodAttempts());
  const wrong = outcomes.filter(({ status }) => status !== 200);
  controls += outcomes.length;
  refused += wrong.length;
  expect(wrong).toEqual([]);
}

// This is first, so that the gateway knows every key when the hostile tokens come.
test("good tokens are accepted", expectGood);

describe("nothing hostile is", () => {
  test.each(families)("$family", async ({ attempts }) => {
    await restored(proxy);
    const before = proxy.mark();
    const outcomes = await sendAll(attempts);
    for (const attempt of attempts) tried.add(JSON.stringify({ ...attempt, name: undefined }));
    accepted += outcomes.filter(({ status }) => status < 400).length;
    failed += outcomes.filter(({ status }) => status >= 500).length;
    const wrong = outcomes.filter(({ status, code = "", challenge = "" }, i) => {
      const wanted = attempts[i]?.code;
      const right = wanted === undefined ? /^(token_|issuer_unknown)/.test(code) : code === wanted;
      if (wanted === "access_denied")
        return status !== 403 || !right || !/error="insufficient_scope"/.test(challenge);
      const error =
        code === "token_missing"
          ? /^Bearer realm="tidegate", resource_metadata="[^"]+"$/
          : /error="invalid_token"/;
      return status !== 401 || !right || !error.test(challenge);
    });
    expect(wrong).toEqual([]);
    expect(before.commands).toEqual([]);
  });
});

test("the other spelling of an ECDSA signature is the same issuer's word: it is accepted, and gives no more", async () => {
  const [outcome] = await sendAll(bearing(undefined, { malleated: malleated() }));
  expect(outcome?.status).toBe(200);
});

test("good tokens still are", expectGood);

test("at least 300 were tried, none was let in, and the gateway asked the attacker nothing", () => {
  console.log(
    `hostile tokens: ${tried.size} tried, ${accepted} accepted, ${failed} answered 5xx; ` +
      `positive controls: ${controls} tried, ${refused} refused`,
  );
  expect(tried.size).toBeGreaterThanOrEqual(300);
  expect({ accepted, failed, refused }).toEqual({ accepted: 0, failed: 0, refused: 0 });
  expect(evil.fetches).toBe(0);
  // One fetch for the first token, and one for unknown kids after each 30 s.
  expect(keyServer.fetches).toBeLessThanOrEqual(2);
});
