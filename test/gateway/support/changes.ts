import { setTimeout as sleep } from "node:timers/promises";
import type { Connection } from "mysql2/promise";
import { expect } from "vitest";
import type { Gateway } from "./harness.ts";
import { expectProblem } from "./harness.ts";
import { askAs, drain } from "./logins.ts";

/**
 * Makes the same change to two logins, `NAME_kept` and `NAME_drained`, which both have a connection. Then
 * it drains the second login's account only. That account notices the change; the first login's connection
 * goes on.
 * @param change SQL in which USER_NAME stands for the login
 * @param code the result of the drained account's next request
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
  // Both connections have been restored, so no restore is under way.
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
