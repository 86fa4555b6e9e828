import { createServer } from "node:net";
import { expect, test } from "vitest";
import {
  demandFree,
  isLoopback,
  listenAddress,
  proxyNetworks,
  show,
  urlOf,
} from "../../../../cli/serve/listen.ts";

test.each([
  ["127.0.0.1:8787", "127.0.0.1:8787", "http://127.0.0.1:8787"],
  ["0.0.0.0:80", "0.0.0.0:80", "http://127.0.0.1:80"],
  ["[::1]:8787", "[::1]:8787", "http://[::1]:8787"],
  ["[::]:65535", "[::]:65535", "http://[::1]:65535"],
])("--listen %s", (text, shown, url) => {
  const listen = listenAddress(text);
  expect([show(listen), urlOf(listen)]).toEqual([shown, url]);
});

test.each([
  ["127.0.0.1:1", true],
  ["127.8.0.1:1", true],
  ["[::1]:1", true],
  ["[::ffff:127.0.0.1]:1", true],
  ["0.0.0.0:1", false],
  ["[::]:1", false],
  ["10.0.0.1:1", false],
  ["[fe80::1]:1", false],
])("%s is reached from this machine alone: %s", (text, alone) => {
  expect(isLoopback(listenAddress(text))).toBe(alone);
});

test.each([
  ...["8787", ":8787", "localhost:8787", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "1.2.3:80", "::1:80"],
  ...["[127.0.0.1]:80", "[::1]", "127.0.0.1:80:80", "http://127.0.0.1:80", "unix:/run/x", "127.0.0.1:8x"],
])("--listen %s is refused", (text) => {
  expect(() => listenAddress(text)).toThrow("127.0.0.1:8787");
});

test("--trust-proxy takes addresses and networks", () => {
  expect(proxyNetworks("10.0.0.0/8, 127.0.0.1,::1,fd00::/8")).toEqual([
    ...["10.0.0.0/8", "127.0.0.1/32", "::1/128", "fd00::/8"],
  ]);
  expect(proxyNetworks("::ffff:10.0.0.1,::ffff:10.0.0.0/104")).toEqual(["10.0.0.1/32", "10.0.0.0/8"]);
});

test.each([
  ...["", "10.0.0.0/33", "10/8", "10.1/16", "proxy.example.com", "127.0.0.1,", "*", "::1/129", "10.0.0.0/"],
  ...["10.0.0.0/8/8", "fe80::1%eth0", "fe80::1%eth0/10", "::ffff:10.0.0.0/95"],
])("--trust-proxy %j is refused", (text) => {
  expect(() => proxyNetworks(text)).toThrow("CIDR");
});

test("a taken port, and an address of another machine, are named with the remedy", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as { port: number };
  const listen = { address: "127.0.0.1", port };
  await expect(demandFree(listen)).rejects.toMatchObject({
    message: `Cannot listen on 127.0.0.1:${port}: another program listens there. End it, or name another port with --listen.`,
    status: 2,
  });
  await new Promise((resolve) => server.close(resolve));
  await demandFree(listen);
  await expect(demandFree({ address: "192.0.2.1", port: 1 })).rejects.toThrow("has no such address");
});
