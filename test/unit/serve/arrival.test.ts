import { describe, expect, test } from "vitest";
import { TidegateError } from "../../../src/errors.ts";
import type { ReadArrival } from "../../../src/routes/context.ts";
import { arrivalBehind } from "../../../src/serve/arrival.ts";

/** A request as workerd gives it. */
function requestFrom(
  peer: string | undefined,
  headers: Record<string, string> = {},
  path = "/v1/sql?a=1",
): Parameters<ReadArrival>[0] {
  const all = new Headers({ host: "inner:8787", ...headers });
  const cf = peer === undefined ? undefined : { clientIp: peer };
  return {
    address: `http://inner:8787${path}`,
    header: (name) => all.get(name) ?? undefined,
    request: { cf } as unknown as Request,
  };
}

const proxies = ["10.0.0.0/8", "127.0.0.1/32", "fd00::/8"];
const arrival = arrivalBehind(proxies);
const direct = { url: "http://inner:8787/v1/sql?a=1", host: "inner:8787" };

describe("a peer that is not a named proxy", () => {
  const forged = {
    "cf-connecting-ip": "198.51.100.1",
    "x-forwarded-for": "198.51.100.1",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "api.example.com",
    forwarded: "for=198.51.100.1;proto=https;host=api.example.com",
  };

  test.each([
    ["192.0.2.7:4711", "192.0.2.7"],
    ["[2001:db8::7]:4711", "2001:db8::7"],
    ["[::ffff:192.0.2.7]:4711", "192.0.2.7"],
    ["126.255.255.255:1", "126.255.255.255"],
  ])("%s: its headers do not count", (peer, client) => {
    expect(arrival(requestFrom(peer, forged))).toEqual({ ...direct, client });
  });

  test("a peer without an IP address has none", () => {
    expect(arrival(requestFrom(undefined, forged))).toEqual({ ...direct, client: undefined });
    expect(arrival(requestFrom("unix:/run/x", forged))).toEqual({ ...direct, client: undefined });
  });

  test("without named proxies, no peer is one", () => {
    expect(arrivalBehind([])(requestFrom("127.0.0.1:1", forged))).toEqual({ ...direct, client: "127.0.0.1" });
  });
});

describe("a named proxy", () => {
  const from = (headers: Record<string, string>, peer = "10.1.2.3:4711") =>
    arrival(requestFrom(peer, headers));

  test.each([
    [undefined, "10.1.2.3", "no header: the proxy itself"],
    ["198.51.100.1", "198.51.100.1", "one hop"],
    ["203.0.113.9, 198.51.100.1", "198.51.100.1", "what the client wrote does not count"],
    ["nonsense, 198.51.100.1", "198.51.100.1", "nor if it is no address"],
    ["198.51.100.1, 10.9.9.9 ,fd12::1", "198.51.100.1", "a chain of proxies"],
    ["10.7.7.7, 10.9.9.9", "10.7.7.7", "only proxies: the farthest"],
    ["198.51.100.1:55555", "198.51.100.1", "with a port"],
    ["[2001:db8::9]:443", "2001:db8::9", "IPv6 with a port"],
    ["2001:DB8:0::9", "2001:db8::9", "IPv6"],
    ["::ffff:198.51.100.1", "198.51.100.1", "IPv4 in IPv6"],
  ])("X-Forwarded-For %s gives %s (%s)", (header, client, _why) => {
    expect(from(header === undefined ? {} : { "x-forwarded-for": header }).client).toBe(client);
  });

  test("IPv4 in IPv6, as a socket for both gives it, is the IPv4 network's", () => {
    expect(from({ "x-forwarded-for": "192.0.2.1" }, "[::ffff:10.1.1.1]:9").client).toBe("192.0.2.1");
  });

  test("sets scheme and host", () => {
    const headers = { "x-forwarded-proto": "https", "x-forwarded-host": "api.example.com:8443" };
    expect(from(headers)).toEqual({
      url: "https://api.example.com:8443/v1/sql?a=1",
      host: "api.example.com:8443",
      client: "10.1.2.3",
    });
    expect(from({ "x-forwarded-proto": "HTTPS" })).toEqual({
      url: "https://inner:8787/v1/sql?a=1",
      host: "inner:8787",
      client: "10.1.2.3",
    });
    expect(from({ "x-forwarded-host": "[::1]:90" }).url).toBe("http://[::1]:90/v1/sql?a=1");
  });

  test("does not set them with the header Forwarded", () => {
    const { url, client } = from({ forwarded: "for=198.51.100.1;proto=https;host=api.example.com" });
    expect({ url, client }).toEqual({ url: direct.url, client: "10.1.2.3" });
  });

  test.each([
    [{ "x-forwarded-for": "" }, "X-Forwarded-For"],
    [{ "x-forwarded-for": "198.51.100.1, unknown" }, "X-Forwarded-For"],
    [{ "x-forwarded-for": "198.51.100.1,," }, "X-Forwarded-For"],
    [{ "x-forwarded-for": "1.2.3" }, "X-Forwarded-For"],
    [{ "x-forwarded-for": "0x7f000001" }, "X-Forwarded-For"],
    [{ "x-forwarded-for": "198.51.100.256" }, "X-Forwarded-For"],
    [{ "x-forwarded-proto": "https, http" }, "X-Forwarded-Proto"],
    [{ "x-forwarded-proto": "wss" }, "X-Forwarded-Proto"],
    [{ "x-forwarded-proto": "" }, "X-Forwarded-Proto"],
    [{ "x-forwarded-host": "a.example.com, b.example.com" }, "X-Forwarded-Host"],
    [{ "x-forwarded-host": "a.example.com,b.example.com" }, "X-Forwarded-Host"],
    [{ "x-forwarded-host": "user@a.example.com" }, "X-Forwarded-Host"],
    [{ "x-forwarded-host": "a.example.com/path" }, "X-Forwarded-Host"],
    [{ "x-forwarded-host": "" }, "X-Forwarded-Host"],
  ])("%j is refused with one sentence that names it", (headers, name) => {
    const read = () => from(headers as unknown as Record<string, string>);
    expect(read).toThrow(TidegateError);
    try {
      read();
    } catch (cause) {
      const { code, message } = cause as TidegateError;
      expect(code).toBe("address_invalid");
      expect(message).toContain(name);
      const [value] = Object.values(headers);
      if (value) expect(message).not.toContain(value);
    }
  });
});
