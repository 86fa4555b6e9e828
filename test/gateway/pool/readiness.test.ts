// Runs on mysql only: the engine has no part in what it tests.
import { expect, test } from "vitest";
import { expectProblem, issuers, read, startGateway, startProxy, testAccount } from "../support/harness.ts";

/** The accounts that `/readyz` checks, and its answer before the first result. */

/** The answer of `/readyz` when the server refuses the login of an account with these permissions. */
async function readyWith(permissions: string[] | undefined) {
  const { remote: issuer } = issuers;
  const grant = permissions && { issuer, account: "refused", allow: permissions };
  const gateway = await startGateway({
    accounts: {
      analyst: testAccount("analyst"),
      refused: { user: "gw_is_not_there", password: "ANALYST_PASSWORD" },
    },
    grants: [{ issuer, account: "analyst", allow: ["sql:read"] }, ...(grant ? [grant] : [])],
  });
  try {
    return await read(await gateway.fetch("/readyz"));
  } finally {
    await gateway.close();
  }
}

test.each([
  ["no grant has it", undefined],
  ["its grant opens no connection", ["operate", "metrics"]],
])("an account that the server refuses is not asked about: %s", async (_, permissions) => {
  expect(await readyWith(permissions)).toMatchObject({ status: 200, body: { status: "ready" } });
});

test.each([["sql:read"], ["query:my-notes"], ["transaction"]])(
  "an account that the server refuses is 503 when a grant allows %s",
  async (permission) => {
    expectProblem(await readyWith([permission]), 503, "database_login_failed");
  },
);

test("before the first check has ended, no caller is told that the database cannot be reached", async () => {
  const proxy = await startProxy();
  const gateway = await startGateway({ cluster: { hosts: [`localhost:${proxy.port}`] } });
  try {
    proxy.blackHole(true);
    const probe = async () => (await gateway.fetch("/readyz")).status;
    const first = probe();
    await expect.poll(() => proxy.accepted).toBeGreaterThan(0);
    const others = Array.from({ length: 5 }, probe);
    // The probes came before these requests, and wait. A later probe would get the same answer.
    for (let i = 0; i < 20; i++) expect((await gateway.fetch("/livez")).status).toBe(200);
    proxy.blackHole(false);
    expect(await Promise.all([first, ...others])).toEqual(Array(6).fill(200));
    // One login for each account of the grants, however many requests came.
    expect(proxy.accepted).toBeLessThan(6);
  } finally {
    await gateway.close();
    await proxy.stop();
  }
});
