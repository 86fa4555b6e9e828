// Runs on mysql only: the engine has no part in what it tests.
import { expect, test } from "vitest";
import { expectProblem, issuers, read, startGateway, testAccount } from "./harness.ts";

/** Which accounts `/readyz` judges. */

/** What `/readyz` answers when the server refuses the login of an account with these permissions. */
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
