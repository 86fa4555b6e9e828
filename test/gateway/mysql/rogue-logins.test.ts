import { afterEach, describe, expect, test } from "vitest";
import { ensurePki } from "../../../servers/pki.ts";
import type { Behaviour } from "../../servers/adversary/behaviour.ts";
import type { Rogue } from "../../servers/adversary/rogue.ts";
import { startRogue } from "../../servers/adversary/rogue.ts";
import type { Gateway } from "../support/harness.ts";
import { expectProblem, server } from "../support/harness.ts";
import type { AccountTable } from "../support/logins.ts";
import { askAs, password, refusalOf, startMatrix } from "../support/logins.ts";

/**
 * A server with a valid certificate that asks for logins which the gateway must refuse, whatever the
 * engine.
 */

let gateway: Gateway | undefined;
let rogue: Rogue | undefined;
afterEach(async () => {
  await gateway?.close();
  await rogue?.stop();
});

const pki = await ensurePki(server.pkiDirectory);
const identity = { certificate: pki.certificate, privateKey: pki.key };

async function ask(behaviour: Behaviour, account: AccountTable[string] = {}, cluster = {}) {
  rogue = await startRogue(behaviour);
  const hosts = [`localhost:${rogue.port}`];
  const timeout = { connect_timeout_ms: 3_000 };
  gateway = await startMatrix({ rogue: account }, { hosts, ...timeout, ...cluster });
  const answer = await askAs(gateway, "rogue");
  return { answer, reason: refusalOf(gateway, "rogue"), evidence: rogue.evidence };
}

const supported =
  "supported are caching_sha2_password, sha256_password, mysql_native_password, client_ed25519, mysql_clear_password";

/** The first bytes of caching_sha2_password: a hash that contains the server's scramble. */
const firstBytes = "gw_rogue".length + 32;

describe("a server that refuses instead of greeting", () => {
  test.each([
    [1040, "database_connections_exhausted", /^1040 Too many connections; compare max_connections/],
    [1130, "database_host_denied", /^1130 Host is not allowed .*; check from which hosts the user may come/],
  ] as const)("with %i", async (errno, code, words) => {
    const { answer, reason } = await ask({ kind: "error-greeting", errno });
    expectProblem(answer, 503, code);
    expect(reason).toMatch(words);
  });
});

describe("a change to a login that the gateway does not have is refused, and nothing is sent to it", () => {
  const plugins = [
    "auth_socket",
    "auth_gssapi_client",
    "authentication_kerberos_client",
    "authentication_ldap_sasl_client",
    "authentication_oci_client",
    "authentication_openid_connect_client",
    "authentication_webauthn_client",
    "authentication_windows_client",
    "dialog",
    "mysql_old_password",
    "no_such_plugin",
  ].map((plugin) => [plugin, supported]);
  const withAlternatives = [
    ["parsec", "let the user log in with ed25519 or mysql_native_password"],
    [
      "tidb_sm3_password",
      "let the user log in with caching_sha2_password, mysql_native_password or tidb_auth_token",
    ],
  ];
  test.each([...plugins, ...withAlternatives])("%s", async (plugin = "", remedy) => {
    const { answer, reason, evidence } = await ask({ kind: "auth-switch", plugin, ...identity });
    expectProblem(answer, 503, "database_auth_unsupported");
    expect(JSON.stringify(answer.body)).not.toContain(plugin);
    expect(reason).toBe(
      `the server asks for the authentication plugin ${plugin}, which is not supported; ${remedy}`,
    );
    expect(evidence.switchResponses).toEqual([]);
    expect(evidence.credentialBytes).toBe(firstBytes);
  });

  test("a name that cannot be shown is not shown", async () => {
    const { reason } = await ask({ kind: "auth-switch", plugin: '"},{"x":"', ...identity });
    expect(reason).toContain("plugin with a name that cannot be shown, which is not supported");
  });
});

describe("a greeting with a login that the gateway does not have", () => {
  test.each(["auth_socket", "authentication_ldap_sasl_client", "dialog"])(
    "%s: not even the user name is sent",
    async (greetingPlugin) => {
      const { answer, reason, evidence } = await ask({
        kind: "tls",
        login: "ok",
        greetingPlugin,
        ...identity,
      });
      expectProblem(answer, 503, "database_auth_unsupported");
      expect(reason).toContain(`plugin ${greetingPlugin}, which is not supported; ${supported}`);
      expect(evidence.userNames).toEqual([]);
      expect(evidence.credentialBytes).toBe(0);
    },
  );

  test("does not matter where the account names its own", async () => {
    const behaviour = { kind: "tls", login: "denied", greetingPlugin: "auth_socket", ...identity } as const;
    const { answer, evidence } = await ask(behaviour, { plugin: "caching_sha2_password" });
    expectProblem(answer, 503, "database_login_failed");
    expect(evidence.credentialBytes).toBe(firstBytes);
  });
});

describe("a downgrade to clear text", () => {
  test("by a change of the method is refused, without a byte of the password", async () => {
    const plugin = "mysql_clear_password";
    const { answer, reason, evidence } = await ask({ kind: "auth-switch", plugin, ...identity });
    expectProblem(answer, 503, "database_auth_unsupported");
    expect(reason).toContain("mysql_clear_password, which the account does not allow (cleartext = true)");
    expect(evidence.switchResponses).toEqual([]);
    expect(evidence.credentialBytes).toBe(firstBytes);
  });

  test("by the greeting is refused, without the user name", async () => {
    const greetingPlugin = "mysql_clear_password";
    const { answer, evidence } = await ask({ kind: "tls", login: "ok", greetingPlugin, ...identity });
    expectProblem(answer, 503, "database_auth_unsupported");
    expect(evidence.credentialBytes).toBe(0);
  });

  test("positive control: the account allows it", async () => {
    const plugin = "mysql_clear_password";
    const { evidence } = await ask({ kind: "auth-switch", plugin, ...identity }, { cleartext: true });
    expect(evidence.switchResponses.map(String)).toEqual([`${password}\0`]);
  });
});

const serverVersion = "8.0.11-TiDB-v8.5.3";

/** A TiDB's answers for the plain login: the proof, and the lines of SHOW GRANTS besides USAGE. */
function sayAs(...grants: string[]) {
  const proof = {
    columns: [
      "user",
      "currentUser",
      "proxyUser",
      "currentRole",
      "database",
      "id",
      "server",
      "version",
      "collation",
    ],
    rows: [
      [
        "gw_rogue@127.0.0.1",
        "gw_rogue@%",
        null,
        "NONE",
        "world",
        "7",
        "tidb-0",
        serverVersion,
        "utf8mb4_bin",
      ],
    ],
  };
  const lines = ["GRANT USAGE ON *.* TO 'gw_rogue'@'%'", ...grants];
  const shown = { columns: ["Grants for gw_rogue@%"], rows: lines.map((line) => [line]) };
  return (sql: string) => {
    if (sql === "SHOW GRANTS") return shown;
    return sql.startsWith("SELECT") ? proof : { columns: [], rows: [] };
  };
}

describe("a TiDB's account that only reads, because TiDB does not enforce READ ONLY", () => {
  const behaviour = { kind: "wrong-identity", serverVersion, ...identity } as const;

  test("is used when SHOW GRANTS has nothing but reading", async () => {
    const onQuery = sayAs("GRANT SELECT,SHOW VIEW ON `world`.* TO 'gw_rogue'@'%'");
    const { answer, evidence } = await ask({ ...behaviour, onQuery }, {}, { engine: "tidb" });
    // The login and the proof succeeded. This server prepares nothing (1295), so the statement goes as
    // text.
    expect(evidence.commands.map(({ command }) => command)).toContain("COM_STMT_PREPARE");
    expect(answer.status).toBe(200);
  });

  const more = sayAs("GRANT SELECT,INSERT ON `world`.* TO 'gw_rogue'@'%'");
  const anOk = (sql: string) => sayAs()(sql === "SHOW GRANTS" ? "" : sql);
  test.each([
    ["it has more", more, "database_identity_wrong", /: it has GRANT SELECT,INSERT ON `world`/],
    ["the server shows no privileges", anOk, "database_unreachable", /an OK came where rows belong/],
  ])("is refused before it has a statement, when %s", async (_, onQuery, code, words) => {
    const { answer, reason, evidence } = await ask({ ...behaviour, onQuery }, {}, { engine: "tidb" });
    expectProblem(answer, 503, code);
    expect(reason).toMatch(words);
    expect(JSON.stringify(answer.body)).not.toContain("GRANT");
    expect(evidence.commands.map(({ command }) => command)).not.toContain("COM_STMT_PREPARE");
  });
});
