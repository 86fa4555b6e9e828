// Runs on mysql only: the engine has no part in what it tests.
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";
import { policyForServers } from "../../../cli/project/application.ts";
import { packageRoot } from "../../../cli/project/paths.ts";
import type { GatewayProcess } from "../../../cli/start/gateway.ts";
import { startGateway } from "../../../cli/start/gateway.ts";
import { freePort } from "../../../servers/network.ts";
import { engine, read, server } from "../support/harness.ts";

/**
 * Secrets of any form reach the gateway of `npm start` unchanged, through wrangler. Each secret is the HMAC
 * key of its own issuer. The gateway accepts a token with that signature only if every byte has arrived.
 */

const { privateKey } = await generateKeyPair("RS256", { extractable: true });
const jwk = { ...(await exportJWK(privateKey)), kid: "k'1`$HOME", alg: "RS256" };

const hostile: [string, string][] = [
  ["a JWK", JSON.stringify(jwk)],
  ["a JWK over several lines", JSON.stringify(jwk, null, 2)],
  ["PEM", `-----BEGIN PRIVATE KEY-----\n${"A".repeat(64)}\n-----END PRIVATE KEY-----\n`],
  ["Windows' line ends", "one\r\ntwo\rthree\n"],
  ["an escape of a line break", String.raw`one\ntwo\r\tthree`],
  ["backslashes", String.raw`\ \\ \' \" \$ C:\dir \\\ `.trim()],
  ["double quotes", 'a "quoted" word"'],
  ["single quotes", "it's 'quoted'"],
  ["backquotes", "a `quoted` word`"],
  ["all quotes", `"'\`"'\``],
  ["quotes around everything", '"quoted"'],
  ["a comment", "before # behind"],
  ["a comment at the beginning", "# behind"],
  ["variables", `$HOME \${HOME} \${NOTHING:-something} $(id) \`id\` $$ $1`],
  ["variables that are escaped", String.raw`\$HOME \${HOME} \\$HOME`],
  ["an equals sign and a colon", "NAME=value: another=value"],
  ["another secret's name", `$SECRET_0 \${SECRET_0}`],
  ["white space at both ends", " \t value \t "],
  ["other scripts", "pässwörd 密码 🔑 \u2028 \u00a0"],
  ["control characters", "\u0001 \u001b[31m \u007f"],
  ["JSON in JSON", JSON.stringify(JSON.stringify({ a: '"\\\n' }))],
];
/** An HMAC key has at least 32 bytes, so a short value is padded on one side. */
const padding = "x".repeat(32);
const cases = hostile.flatMap(([what, value]) => [
  { what: `${what}, at the beginning`, value: value + padding },
  { what: `${what}, at the end`, value: padding + value },
  ...(Buffer.byteLength(value) >= padding.length ? [{ what: `${what}, alone`, value }] : []),
]);
const named = cases.map((one, i) => ({ ...one, name: `SECRET_${i}` }));

let directory: string;
let gateway: GatewayProcess;
beforeAll(async () => {
  directory = await mkdtemp(join(packageRoot, ".tidegate", "test", "secrets-"));
  const issuers = named.map(({ name }) => ({
    ...{ issuer: name, audience: "tidegate", secret: name },
    algorithms: ["HS256"],
  }));
  gateway = await startGateway({
    directory,
    port: await freePort(),
    ca: server.ca,
    secrets: { ...server.passwords, ...Object.fromEntries(named.map(({ name, value }) => [name, value])) },
    keepsSecrets: false,
    overlay: policyForServers({
      ...{ engine, database: `localhost:${server.port}`, actsAs: server.actsAs },
      issuers,
    }),
    onExit: () => {},
  });
});
afterAll(async () => {
  await gateway?.stop();
  await rm(directory, { recursive: true, force: true });
});

test.each(named)("$what", async ({ name, value }) => {
  const token = await new SignJWT({ role: "analyst" })
    .setProtectedHeader({ alg: "HS256" })
    .setIssuer(name)
    .setAudience("tidegate")
    .setSubject("someone")
    .setIssuedAt()
    .setExpirationTime("1h")
    .sign(new TextEncoder().encode(value));
  const response = await fetch(`${gateway.url}/v1/sql`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ sql: "SELECT 'arrived' AS secret" }),
  });
  expect(await read(response)).toMatchObject({ status: 200, body: { rows: [{ secret: "arrived" }] } });
});
