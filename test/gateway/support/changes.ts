import { setTimeout as sleep } from "node:timers/promises";
import type { Connection } from "mysql2/promise";
import { expect } from "vitest";
import type { Gateway } from "./harness.ts";
import { expectProblem } from "./harness.ts";
import { askAs, drain } from "./logins.ts";

/**
 * Makes the same change to two logins, `NAME_kept` and `NAME_drained`, both of which have a connection, and
 * drains the second one's account only: that one notices, the first one's connection goes on.
 * @param change SQL in which USER_NAME stands for the login
 * @param code what the drained account's next request gets
 */
export async function expectNoticed(
  gateway: Gateway,
  administrator: Connection,
  name: string,
  change: string,
  code: string,
): Promise<void> {
  const kept = `${name}_kept`;
  const drained = `${name}_drained`;
  const before = await askAs(gateway, kept);
  expect(before.status).toBe(200);
  expect((await askAs(gateway, drained)).status).toBe(200);
  // Both have been restored: neither is on its way back any more.
  await sleep(300);
  for (const account of [kept, drained]) {
    await administrator.query(change.replaceAll("USER_NAME", `gw_${account}`));
  }
  const { body } = await drain(gateway, drained);
  expect(body.accounts).toEqual([{ account: drained, shards: 1, idle_closed: 1, busy: 0, opening: 0 }]);
  expectProblem(await askAs(gateway, drained), 503, code);
  const after = await askAs(gateway, kept);
  expect({ status: after.status, rows: after.body.rows }).toEqual({ status: 200, rows: before.body.rows });
}
