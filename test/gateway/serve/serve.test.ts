// Runs on mariadb only: the engine has no part in what it tests.
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { join } from "node:path";
import { generateKeyPair, generateProof } from "dpop";
import { calculateJwkThumbprint, exportJWK } from "jose";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSigningKey, mint } from "../../../servers/issuer/issuer.ts";
import { audience, server } from "../support/harness.ts";
import type { Serve } from "./project.ts";
import { issuer, start, wall, writeProject } from "./project.ts";

/** `tidegate serve`: who the caller is, behind a proxy and without one, and what is where. */

const key = await createSigningKey();
let directory: string;
let serve: Serve;

beforeAll(async () => {
  directory = writeProject("front", key);
  // As systemd makes the folders of a service with DynamicUser.
  for (const name of ["cache", "state"]) {
    mkdirSync(join(directory, "private", "deeper", name), { recursive: true });
    symlinkSync(join("private", "deeper", name), join(directory, name));
  }
  serve = await start(directory, ["--trust-proxy", "127.0.0.1", "--state", join(directory, "state")], {
    ...server.passwords,
    TIDEGATE_DIRECTORY: join(directory, "cache"),
  });
});
afterAll(async () => {
  serve?.process.kill("SIGTERM");
  await serve?.exited;
});

interface Asked {
  status: number;
  headers: http.IncomingHttpHeaders;
  // biome-ignore lint/suspicious/noExplicitAny: the tests say what they expect of it
  body: any;
}

/**
 * @param from the address of this end: 127.0.0.1 is the named proxy, and the other addresses of the loopback network
 *   are those of callers
 */
function ask(path: string, headers: http.OutgoingHttpHeaders = {}, from = "127.0.0.1"): Promise<Asked> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(serve.url);
    const options = { hostname, port, path, headers, localAddress: from, agent: false };
    const sent = http.get(options, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => {
        const isJson = (response.headers["content-type"] ?? "").includes("json");
        const body = isJson ? JSON.parse(text) : text;
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
      });
    });
    sent.on("error", reject);
  });
}

const path = "/v1/queries/regions";
const tokenOf = (claims: Record<string, unknown> = {}) =>
  mint(key, { iss: issuer, aud: audience, sub: "someone", role: "analyst", ...claims });

test("answers a saved query, and says that it lives and is ready", async () => {
  const headers = { authorization: `Bearer ${await tokenOf()}` };
  expect(await ask(path, headers)).toMatchObject({
    status: 200,
    body: { rows: expect.arrayContaining([expect.objectContaining({ region: "Europe" })]) },
  });
  expect(await ask("/livez")).toMatchObject({ status: 200, body: { status: "live" } });
  expect(await ask("/readyz")).toMatchObject({ status: 200, body: { status: "ready" } });
});

test("describes itself by the address that callers of the proxy ask, in metadata and challenges", async () => {
  const well = "/.well-known/oauth-protected-resource";
  const headers = { "x-forwarded-proto": "https", "x-forwarded-host": "api.example.com:8443" };
  const resource = "https://api.example.com:8443";
  expect(await ask(well, headers)).toMatchObject({ status: 200, body: { resource } });
  expect((await ask(path, headers)).headers["www-authenticate"]).toContain(
    `resource_metadata="${resource}${well}"`,
  );
  const { host } = new URL(serve.url);
  expect(await ask(well, headers, "127.0.0.4")).toMatchObject({ body: { resource: `http://${host}` } });
});

test("serves the documentation page and its files", async () => {
  const page = await ask("/docs", { "x-forwarded-for": "198.51.100.2" });
  expect(page.status).toBe(200);
  const files = [...page.body.matchAll(/(?:src|href)="(\/[^"]*\.(?:js|css))"/g)].map(
    ([, file]) => file as string,
  );
  expect(files.length).toBeGreaterThan(1);
  for (const file of files) {
    const { status, headers } = await ask(file, { "x-forwarded-for": "198.51.100.2" });
    expect([status, headers["cache-control"]]).toEqual([200, expect.stringContaining("immutable")]);
    expect(headers["content-type"]).toMatch(file.endsWith(".css") ? /^text\/css/ : /^text\/javascript/);
  }
  expect((await ask("/docs/x/../../application.json")).status).toBe(404);
});

describe("the address of a caller", () => {
  const flood = async (headersOf: (i: number) => http.OutgoingHttpHeaders, from?: string) => {
    const statuses: number[] = [];
    for (let i = 0; i < wall.limit + 5; i++) statuses.push((await ask(path, headersOf(i), from)).status);
    return { passed: statuses.filter((status) => status === 401).length, last: statuses.at(-1) };
  };

  test("is that of its socket: headers of a peer that is no named proxy do not count", async () => {
    const headersOf = (i: number) => ({
      ...{
        "x-forwarded-for": `198.51.100.${i}`,
        "cf-connecting-ip": `198.51.100.${i}`,
        "x-real-ip": `198.51.100.${i}`,
      },
      forwarded: `for=198.51.100.${i}`,
    });
    expect(await flood(headersOf, "127.0.0.2")).toEqual({ passed: wall.limit, last: 429 });
    expect((await ask(path, {}, "127.0.0.3")).status).toBe(401);
  });

  test("is that of a named proxy's header, and each network has its own count", async () => {
    const headersOf = () => ({ "x-forwarded-for": "203.0.113.1" });
    expect(await flood(headersOf)).toEqual({ passed: wall.limit, last: 429 });
    expect((await ask(path, { "x-forwarded-for": "203.0.113.2" })).status).toBe(401);
    const written = (i: number) => ({ "x-forwarded-for": `198.51.100.${i}, 203.0.113.1, 127.0.0.1` });
    expect(await flood(written)).toEqual({ passed: 0, last: 429 });
  });

  test.each([
    [{ "x-forwarded-for": "203.0.113.7, me" }, "X-Forwarded-For"],
    [{ "x-forwarded-proto": "https,http" }, "X-Forwarded-Proto"],
    [{ "x-forwarded-host": ["a.example.com", "b.example.com"] }, "X-Forwarded-Host"],
  ])("a named proxy's %j is refused", async (headers, name) => {
    const { status, body } = await ask(path, headers as http.OutgoingHttpHeaders);
    expect([status, body.code]).toEqual([400, "address_invalid"]);
    expect(body.detail).toContain(name);
  });
});

describe("a proof of possession (DPoP) is for the address that the caller asked for", () => {
  const outside = { "x-forwarded-proto": "https", "x-forwarded-host": "api.example.com" };

  async function askWithProof(htu: string, headers: Record<string, string>, from: string): Promise<Asked> {
    const pair = await generateKeyPair("ES256", { extractable: true });
    const jkt = await calculateJwkThumbprint(await exportJWK(pair.publicKey));
    const token = await tokenOf({ cnf: { jkt } });
    const authorization = `DPoP ${token}`;
    const first = await generateProof(pair, htu, "GET", undefined, token);
    const asked = await ask(path, { ...headers, authorization, dpop: first }, from);
    const nonce = asked.headers["dpop-nonce"] as string | undefined;
    if (nonce === undefined) return asked;
    const second = await generateProof(pair, htu, "GET", nonce, token);
    return await ask(path, { ...headers, authorization, dpop: second }, from);
  }

  test("behind a proxy that ends TLS", async () => {
    const { status } = await askWithProof(`https://api.example.com${path}`, outside, "127.0.0.1");
    expect(status).toBe(200);
    const inner = await askWithProof(`${serve.url}${path}`, outside, "127.0.0.1");
    expect([inner.status, inner.body.code]).toEqual([401, "proof_invalid"]);
  });

  test("without one, whatever the caller writes", async () => {
    const forged = await askWithProof(`https://api.example.com${path}`, outside, "127.0.0.4");
    expect([forged.status, forged.body.code]).toEqual([401, "proof_invalid"]);
    expect((await askWithProof(`${serve.url}${path}`, outside, "127.0.0.4")).status).toBe(200);
  });
});

test("a head that never ends is cut by workerd", async () => {
  const { hostname, port } = new URL(serve.url);
  const socket = net.connect(Number(port), hostname);
  socket.on("error", () => {});
  socket.write("GET /livez HTTP/1.1\r\nHost: x\r\n");
  const dripping = setInterval(() => socket.write("X-A: b\r\n"), 500);
  await new Promise((resolve) => socket.once("close", resolve));
  clearInterval(dripping);
});

test("its log is JSON on stdout, and its own lines are on stderr", async () => {
  await ask("/nowhere");
  await expect.poll(() => serve.stdout.length).toBeGreaterThan(0);
  for (const line of serve.stdout) expect(JSON.parse(line)).toHaveProperty("event");
  expect(serve.stderr).toEqual([`Serving production at ${serve.url}`]);
});

test("no secret is in a file, in its configuration or in the list of processes", () => {
  const secrets = Object.values(server.passwords);
  const written = readdirSync(directory, { recursive: true, encoding: "utf8" }).map((name) =>
    join(directory, name),
  );
  const texts = written.filter((file) => statSync(file).isFile()).map((file) => readFileSync(file, "latin1"));
  const commands = [serve.pid(), serve.process.pid].map((pid) =>
    readFileSync(`/proc/${pid}/cmdline`, "utf8"),
  );
  for (const text of [...texts, ...commands])
    for (const secret of secrets) expect(text.includes(secret)).toBe(false);
  expect(texts.length).toBeGreaterThan(5);
});
