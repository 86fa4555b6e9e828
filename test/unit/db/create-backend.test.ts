import { describe, expect, test, vi } from "vitest";
import type { Config } from "../../../src/config/config.ts";
import type { Backend, BackendContext } from "../../../src/db/contract/backend.ts";
import type { BatchRequest, BeginRequest, ExecuteRequest } from "../../../src/db/contract/requests.ts";
import { createBackend } from "../../../src/db/create-backend.ts";

/** The runtime's own, which Node does not have. Nothing is dialled here. */
vi.mock("cloudflare:sockets", () => ({}));

const owner = { account: "reader", caller: "c", mayWrite: true };

/** A request that finds no Pool object and no Hyperdrive binding: each way to the database says so in its own words. */
const context: BackendContext = {
  env: {
    POOL: {
      idFromName: (name: string) => name,
      get: () => {
        throw new Error("asked for a Pool object");
      },
    },
  } as never,
  requestId: "r",
  signal: new AbortController().signal,
  waitUntil: () => {},
};

function backendFor(link: string): Backend {
  const account = { name: "reader", user: "gw_reader", shards: 2, credential: { password: "" } };
  const config = {
    environment: "test",
    generation: "g".repeat(64),
    cluster: { engine: "mysql", link },
    accounts: new Map([["reader", account]]),
  };
  return createBackend(config as unknown as Config);
}

test.each([
  ["platform", "asked for a Pool object"],
  ["rustls", "asked for a Pool object"],
  ["hyperdrive", "reader has no Hyperdrive binding"],
])("the link %s decides the way to the database", async (link, reason) => {
  const said = await backendFor(link)
    .ready(context, "reader")
    .catch((cause) => cause.operator ?? cause.message);
  expect(said).toBe(reason);
});

describe("Hyperdrive", () => {
  const hyperdrive = backendFor("hyperdrive");
  const calls: Record<string, () => Promise<unknown>> = {
    batch: () => hyperdrive.batch(context, "reader", {} as BatchRequest),
    begin: () => hyperdrive.begin(context, owner, {} as BeginRequest),
    executeIn: () => hyperdrive.executeIn(context, owner, "id", {} as ExecuteRequest),
    end: () => hyperdrive.end(context, owner, "id", "commit"),
    cancel: () => hyperdrive.cancel(context, "reader", "c", "r"),
  };

  test.each(Object.keys(calls))("refuses %s, which it cannot do", async (call) => {
    await expect(calls[call]?.()).rejects.toMatchObject({ code: "unsupported_by_link", status: 501 });
  });

  test("has no connections of the gateway's to close, and nothing that counts", async () => {
    const nothing = { shards: 2, idle: 0, busy: 0, opening: 0 };
    expect(await hyperdrive.drain(context, ["reader"])).toEqual([{ account: "reader", ...nothing }]);
    expect(await hyperdrive.metrics(context)).toEqual([]);
  });
});
