// Runs on mariadb only: the engine has no part in what it tests.
import net from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { WorkerdGateway } from "../support/workerd-gateway.ts";
import { startWorkerdGateway } from "../support/workerd-gateway.ts";

/**
 * Runs on workerd itself, because the proxy in front of other tests' gateways fails at most of these hosts.
 */
let gateway: WorkerdGateway;
let token: string;
beforeAll(async () => {
  gateway = await startWorkerdGateway("addresses");
  token = await gateway.token();
});
afterAll(() => gateway?.stop());

/** Sends requests that no HTTP client would send. */
async function send(path: string, hosts: string[] = ["localhost"], method = "GET") {
  const { hostname, port } = new URL(gateway.url);
  const socket = net.connect(Number(port), hostname);
  const lines = [
    `${method} ${path} HTTP/1.1`,
    ...hosts.map((host) => `Host: ${host}`),
    `Authorization: Bearer ${token}`,
    "Connection: close",
  ];
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  const [head = "", body = ""] = (await text(socket)).split("\r\n\r\n");
  return { status: Number(head.split(" ")[1]), body: body.startsWith("{") ? JSON.parse(body) : body };
}

const regions = "/v1/queries/regions";
const refused = { status: 400, body: { code: "address_invalid", retryable: false } };

describe("a Host", () => {
  test("that is one", async () => {
    for (const host of ["localhost", "gateway.example:8787", "[::1]:8787", "a:"])
      expect(await send(regions, [host])).toMatchObject({ status: 200 });
  });

  test.each([
    ["a b"],
    ["a/b"],
    ["a?b"],
    ["a#b"],
    ["a@b"],
    ["a\\b"],
    ["a\tb"],
    ["a:b"],
    ["a:99999"],
    ["[::1"],
    ["%"],
    ["a|b"],
    ["1.2.3.4.5"],
    ["http://a"],
    ["a", "b"],
  ])("%j: 400", async (...hosts) => {
    for (const path of [regions, "/livez", "/v1/schema", "/nothing"])
      expect(await send(path, hosts)).toMatchObject(refused);
  });

  test("that is none at all: workerd itself answers 400", async () => {
    expect(await send(regions, [])).toEqual({ status: 400, body: "Bad Request" });
    expect(await send(regions, [""])).toEqual({ status: 400, body: "Bad Request" });
  });
});

describe("percent-encoding", () => {
  test("of UTF-8", async () => {
    const { status, body } = await send("/v1/queries/cities-by-country?country=%4E%5A&limit=1");
    expect({ status, rows: body.rows.length }).toEqual({ status: 200, rows: 1 });
  });

  test.each([
    ["GET", "/v1/queries/cities-by-country?country=%FC"],
    ["GET", "/v1/queries/cities-by-country?c%FCuntry=NZ"],
    ["GET", "/v1/queries/cities-by-country?country=100%"],
    ["GET", "/v1/queries/cities-by-country?country=%zz"],
    ["GET", "/v1/queries/%FC"],
    ["GET", "/v1/schema?table=%ED%A0%80"],
    ["POST", "/v1/sql?rows=%FC"],
    ["POST", "/v1/batch?%E2%82"],
    ["DELETE", "/v1/requests/%FC"],
    ["DELETE", "/v1/transactions/%"],
    ["POST", "/v1/transactions/%zz/sql"],
  ])("%s %s: 400", async (method, path) => {
    expect(await send(path, ["localhost"], method)).toMatchObject(refused);
  });
});
