import { createServer } from "node:net";
import { expect, test } from "vitest";
import { choosePort } from "../../../scripts/ports.ts";
import { freePort } from "../../servers/network.ts";

test("a port that is in use, or given to somebody who does not listen yet, is passed over, and said so", async () => {
  const wanted = await freePort();
  const said: string[] = [];
  const log = (line: string) => said.push(line);
  expect(await choosePort("gateway", wanted, log)).toBe(wanted);
  expect(said).toEqual([]);
  expect(await choosePort("page", wanted, log, [wanted])).toBeGreaterThan(wanted);
  const server = createServer().listen(wanted, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  try {
    expect(await choosePort("gateway", wanted, log)).toBeGreaterThan(wanted);
  } finally {
    server.close();
  }
  expect(said).toHaveLength(2);
});
