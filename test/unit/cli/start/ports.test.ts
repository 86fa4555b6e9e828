import type { Server } from "node:net";
import { createServer } from "node:net";
import { afterEach, expect, test } from "vitest";
import { onFreePort } from "../../../../cli/start/ports.ts";
import { freePort } from "../../../../servers/network.ts";

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function listen(port: number): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  servers.push(server);
  return port;
}

test("uses the wanted port without a message", async () => {
  const wanted = await freePort();
  const said: string[] = [];
  expect(await onFreePort("gateway", wanted, (line) => said.push(line), listen)).toBe(wanted);
  expect(said).toEqual([]);
});

test("skips a port in use, and starts nothing there", async () => {
  const wanted = await listen(await freePort());
  const said: string[] = [];
  const tried: number[] = [];
  const port = await onFreePort(
    "gateway",
    wanted,
    (line) => said.push(line),
    (next) => {
      tried.push(next);
      return listen(next);
    },
  );
  expect(port).toBeGreaterThan(wanted);
  expect(tried).not.toContain(wanted);
  expect(said).toEqual([`port ${wanted} is in use: the gateway has ${port}`]);
});

test("skips a port that another program takes before the bind", async () => {
  const wanted = await freePort();
  const port = await onFreePort(
    "gateway",
    wanted,
    () => {},
    async (next) => {
      // The port was found free, and is taken now.
      if (next === wanted) await listen(wanted);
      return await listen(next);
    },
  );
  expect(port).toBeGreaterThan(wanted);
});

test("reports every other error, and tries no other port", async () => {
  const tried: number[] = [];
  const fails = async (port: number) => {
    tried.push(port);
    throw new Error("no program");
  };
  await expect(onFreePort("database", await freePort(), () => {}, fails)).rejects.toThrow("no program");
  expect(tried).toHaveLength(1);
});
