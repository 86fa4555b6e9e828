import { describe, expect, test } from "vitest";
import type { Bindings } from "../../../src/application.ts";
import type { Config } from "../../../src/config/config.ts";
import type { PoolContext } from "../../../src/db/pool/client.ts";
import { drain } from "../../../src/db/pool/client.ts";
import type { PoolRequest } from "../../../src/db/pool/protocol.ts";
import { encodeError, protocolVersion } from "../../../src/db/pool/protocol.ts";
import { TidegateError } from "../../../src/errors.ts";

/** A shard that cannot be reached is not to be had from a workerd at hand: here the way to it is made up. */

interface Call extends PoolRequest {
  shard: string;
}

/** @param answer what a shard answers, or how it fails, by its name `account/…/shard` */
function context(answer: (shard: string) => Response) {
  const calls: Call[] = [];
  const namespace = {
    idFromName: (name: string) => name,
    get: (name: string) => ({
      fetch: async (_: string, { body }: { body: string }) => {
        calls.push({ ...JSON.parse(body), shard: name });
        return answer(name);
      },
    }),
  };
  const config = {
    environment: "test",
    generation: "g".repeat(64),
    cluster: {},
    accounts: new Map([
      ["analyst", { shards: 3 }],
      ["editor", { shards: 1 }],
    ]),
  };
  const made: PoolContext = {
    env: { POOL: namespace } as unknown as Bindings,
    config: config as unknown as Config,
    requestId: "r1",
  };
  return { made, calls };
}

const found = () => Response.json({ idle: 1, busy: 2, opening: 3 });
const shards = (calls: readonly Call[]) => calls.map(({ shard }) => shard).sort();
const name = (account: string, shard: number) =>
  `test/${account}/anywhere/${"g".repeat(16)}-${protocolVersion}/${shard}`;

describe("draining", () => {
  test("asks every shard of an account once, and adds up what they had", async () => {
    const { made, calls } = context(found);
    expect(await drain(made, ["analyst"])).toEqual([
      { account: "analyst", shards: 3, idle: 3, busy: 6, opening: 9 },
    ]);
    expect(shards(calls)).toEqual([0, 1, 2].map((shard) => name("analyst", shard)));
    for (const { work } of calls) expect(work).toEqual({ kind: "drain" });
  });

  test("asks every shard of several accounts", async () => {
    const { made, calls } = context(found);
    const drained = await drain(made, ["analyst", "editor"]);
    expect(drained.map(({ account, shards, idle }) => [account, shards, idle])).toEqual([
      ["analyst", 3, 3],
      ["editor", 1, 1],
    ]);
    expect(calls).toHaveLength(4);
  });

  test.each([
    [
      "cannot be reached",
      () => {
        throw new Error("the object was reset");
      },
      "analyst/1: Error: the object was reset",
    ],
    [
      "is of another version",
      () => encodeError(new TidegateError("version_mismatch")),
      "analyst/1: version_mismatch",
    ],
  ])(
    "when a shard %s every other one is asked all the same, and the request may be sent again",
    async (_, fail, operator) => {
      const { made, calls } = context((shard) => (shard === name("analyst", 1) ? fail() : found()));
      const error = await drain(made, ["analyst", "editor"]).catch(
        (cause: unknown) => cause as TidegateError,
      );
      expect(error).toMatchObject({ code: "drain_incomplete", status: 503, retryable: true, operator });
      expect((error as TidegateError).details.detail).toContain("Send the request again");
      expect((error as TidegateError).details.detail).not.toContain("analyst");
      expect(calls).toHaveLength(4);
    },
  );
});
