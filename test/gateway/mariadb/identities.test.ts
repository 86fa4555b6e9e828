import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../../../scripts/application.ts";
import { ensurePki } from "../../servers/pki.ts";
import { startDatabase } from "../../servers/server.ts";
import { expectProblem, server, startGateway } from "../harness.ts";

test("a server that lets everybody in (--skip-grant-tables) is refused", async () => {
  const pki = await ensurePki(server.pkiDirectory);
  const open = await startDatabase({
    engine: "mariadb",
    directory: join(root, ".tidegate", "test", "mariadb-skip-grant-tables"),
    pki,
    extraArguments: ["--skip-grant-tables"],
    log: () => {},
  });
  const gateway = await startGateway({ cluster: { hosts: [`localhost:${open.port}`], database: "mysql" } });
  try {
    expectProblem(await gateway.sql({ sql: "SELECT 1" }), 503, "database_identity_wrong");
  } finally {
    await gateway.close();
    await open.stop();
  }
});

test("an account that must act as somebody else is refused: MariaDB has no such mapping", async () => {
  const user = { user: "gw_analyst", password: "ANALYST_PASSWORD", acts_as: "analyst@%" };
  const gateway = await startGateway({ accounts: { analyst: user } });
  try {
    const answer = await gateway.sql({ sql: "SELECT 1" });
    expectProblem(answer, 503, "database_identity_wrong");
    const log = gateway
      .logs()
      .map(({ message }) => message.replaceAll('\\"', '"'))
      .join("\n");
    expect(log).toContain('CURRENT_USER() must be "analyst@%" but is "gw_analyst@%"');
  } finally {
    await gateway.close();
  }
});
