// Runs on mariadb only: the engine has no part in what it tests.
import { readFileSync } from "node:fs";
import type { IncomingMessage, RequestListener } from "node:http";
import { join } from "node:path";
import { parse } from "smol-toml";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { packageRoot } from "../../../cli/project/paths.ts";
import type { KeyServer } from "../../../servers/issuer/issuer.ts";
import { startKeyServer } from "../../../servers/issuer/issuer.ts";
import type { CountingProxy } from "../../../servers/wire/proxy.ts";
import { parsePolicy } from "../../../src/config/policy.ts";
import { ask } from "../support/ask.ts";
import { restored } from "../support/commands.ts";
import type { Gateway } from "../support/harness.ts";
import { startGateway, startProxy, testAccount } from "../support/harness.ts";
import { logins } from "./services/logins.ts";
import { platforms } from "./services/platforms.ts";
import type { Members, Refused, Service, Token } from "./services/service.ts";
import { textOf } from "./services/service.ts";
import { turnedWrong } from "./services/turned-wrong.ts";
import type { Signer } from "./tokens/parties.ts";
import { attacker, p256, rsa, signer } from "./tokens/parties.ts";

/**
 * docs/guides/issuers.md: the test reads the policies of the page, and changes only the place of the keys. The tokens and the key
 * sets are made here, by what the services' documents say of them.
 */

const document = readFileSync(join(packageRoot, "docs", "guides", "issuers.md"), "utf8");
const services = [...logins, ...platforms];

interface Policy {
  issuers: Members[];
  grants: Members[];
}

/** The page's policies, by the titles of their sections. */
const policies = new Map(
  document.split(/^## /m).flatMap((section): [string, Policy][] => {
    const [, toml] = /```toml\n([\s\S]*?)```/.exec(section) ?? [];
    const [title = ""] = section.split("\n");
    return toml === undefined ? [] : [[title, parse(toml) as unknown as Policy]];
  }),
);

const policyOf = ({ title }: Service) => policies.get(title) as Policy;
const kidOf = ({ title }: Service) => `key-of-${title}`;
const pathOf = (service: Service) => `/${services.indexOf(service)}`;
const keyOf = ({ algorithm }: Service) => (algorithm === "ES256" ? p256 : rsa);
const ownSigner = (service: Service) => signer(service.algorithm, keyOf(service).privateKey);
const strangeSigner = ({ algorithm }: Service) =>
  signer(algorithm, (algorithm === "ES256" ? attacker.p256 : attacker.rsa).privateKey);

const reader = testAccount("analyst");
let keyServer: KeyServer;
let proxy: CountingProxy;
let gateway: Gateway;
beforeAll(async () => {
  const routes = Object.fromEntries(services.map((service) => [pathOf(service), publisher(service)]));
  keyServer = await startKeyServer([], 0, { routes });
  proxy = await startProxy();
  const published = (service: Service) =>
    policyOf(service).issuers.map(({ discovery: _, jwks_uri: __, ...issuer }) => ({
      ...issuer,
      jwks_uri: `${keyServer.url}${pathOf(service)}`,
    }));
  gateway = await startGateway({
    cluster: { hosts: [`localhost:${proxy.port}`] },
    accounts: { reader },
    issuers: services.flatMap(published),
    grants: services.flatMap((service) => policyOf(service).grants),
  });
});
afterAll(async () => {
  await gateway?.close();
  await Promise.all([keyServer?.stop(), proxy?.stop()]);
});

function publisher(service: Service): RequestListener {
  const set = JSON.stringify(
    service.keySet(keyOf(service).publicKey.export({ format: "jwk" }) as Members, kidOf(service)),
  );
  return ({ headers: { accept = "*/*" } }: IncomingMessage, response) => {
    response.setHeader("content-type", service.contentType);
    if (service.answer) service.answer(accept, set, response);
    else response.end(set);
  };
}

test("every policy of the page is tried, and no service without one", () => {
  expect([...policies.keys()].sort()).toEqual(services.map(({ title }) => title).sort());
});

test("every policy is one for production as it stands there", () => {
  const cluster = { engine: "mysql", hosts: ["db.example.com:3306"], database: "shop", link: "platform" };
  for (const { issuers, grants } of policies.values()) {
    const policy = { cluster: { ...cluster, trust: "public" }, accounts: { reader }, issuers, grants };
    expect(() => parsePolicy(policy, "production", [])).not.toThrow();
    for (const { discovery, jwks_uri } of issuers)
      expect(discovery === true || String(jwks_uri).startsWith("https://")).toBe(true);
  }
});

/** @returns what is wrong with the answers to the tokens: name, status and code of each */
async function wrongAnswers(service: Service, attempts: Refused[], token: Token): Promise<unknown[]> {
  const send = async ({ name, code, header, claims, sign = ownSigner(service) }: Refused) => {
    const sent = { header: { ...token.header, ...header }, claims: { ...token.claims, ...claims } };
    const { status, body } = await ask(gateway, textOf(sent, kidOf(service), sign));
    const isRight = (status === 401 || status === 403) && new RegExp(`^(?:${code})$`).test(body.code);
    const isHonest = (status === 403) === (body.code === "access_denied");
    return isRight && isHonest ? [] : [{ name, status, code: body.code, detail: body.detail, wanted: code }];
  };
  const answers: unknown[] = [];
  for (let at = 0; at < attempts.length; at += 16)
    answers.push(...(await Promise.all(attempts.slice(at, at + 16).map(send))).flat());
  return answers;
}

/** Runs requests that must not reach the database. */
async function withoutCommands(run: () => Promise<void>): Promise<void> {
  await restored(proxy);
  const before = proxy.mark();
  await run();
  expect(before.commands).toEqual([]);
}

describe.each(services)("$title", (service) => {
  const { tokens, accepted = {}, refused } = service;
  const issuer = policyOf(service)?.issuers[0] ?? {};
  const grants = policyOf(service)?.grants ?? [];
  const first = tokens[0] as Token;

  test("its tokens are accepted, one for each grant", async () => {
    expect(tokens).toHaveLength(grants.length);
    for (const [name, token] of Object.entries<Token>({ ...tokens, ...accepted })) {
      const { status, body } = await ask(gateway, textOf(token, kidOf(service), ownSigner(service)));
      expect([name, status, body.detail]).toEqual([name, 200, undefined]);
    }
  });

  test("tokens that look like them are refused", () =>
    withoutCommands(async () => {
      expect(await wrongAnswers(service, refused, first)).toEqual([]);
    }));

  test.each(grants.map((grant, i) => [i, grant] as const))(
    "a token for grant %i is refused when one thing in it is wrong",
    (i, grant) =>
      withoutCommands(async () => {
        const token = tokens[i] as Token;
        const attempts = turnedWrong(issuer, grant, token.claims);
        expect(attempts.length).toBeGreaterThan(60);
        expect(await wrongAnswers(service, attempts, token)).toEqual([]);
      }),
  );

  test("other signatures are refused", () =>
    withoutCommands(async () => {
      const { publicKey } = keyOf(service);
      const hmac = (key: string | Buffer): Signer => signer("HS256", key as string);
      const forged: [string, Members, Signer][] = [
        ["a stranger's key", {}, strangeSigner(service)],
        ["a stranger's key without kid", { kid: undefined }, strangeSigner(service)],
        ["its key under another kid", { kid: "other" }, ownSigner(service)],
        [
          "its key under the kid of another key of its own",
          { kid: `${kidOf(service)}-other` },
          ownSigner(service),
        ],
        ["its kid in another case", { kid: kidOf(service).toUpperCase() }, ownSigner(service)],
        ["nothing", { alg: "none" }, () => Buffer.alloc(1)],
        [
          "its public key as a secret",
          { alg: "HS256" },
          hmac(publicKey.export({ format: "pem", type: "spki" }) as string),
        ],
        [
          "its public key's bytes as a secret",
          { alg: "HS256" },
          hmac(publicKey.export({ format: "der", type: "spki" })),
        ],
        [
          "another algorithm's name",
          { alg: service.algorithm === "ES256" ? "ES384" : "RS512" },
          ownSigner(service),
        ],
        ["the algorithm in another case", { alg: service.algorithm.toLowerCase() }, ownSigner(service)],
        ["half of its signature", {}, (input) => ownSigner(service)(input).subarray(0, 32)],
      ];
      const attempts = forged.map(([name, header, sign]) => ({ name, header, sign, code: "token_invalid" }));
      expect(await wrongAnswers(service, attempts, first)).toEqual([]);
    }));
});

test("good tokens are still accepted, and their commands are seen", async () => {
  const before = proxy.mark();
  for (const service of services) {
    const [token] = service.tokens as [Token];
    expect(
      (await ask(gateway, textOf(token, kidOf(service), ownSigner(service)))).status,
      service.title,
    ).toBe(200);
  }
  expect(before.commands.length).toBeGreaterThanOrEqual(services.length);
});

test("a service's key signs for no other service", async () => {
  for (const [i, service] of services.entries()) {
    const other = services[(i + 1) % services.length] as Service;
    const [token] = other.tokens as [Token];
    const refused = [{ name: other.title, code: "token_invalid", header: { kid: kidOf(service) } }];
    expect(await wrongAnswers(other, refused, token)).toEqual([]);
  }
});
