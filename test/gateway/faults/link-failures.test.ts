// Runs on mariadb only: the engine has no part in what it tests.
import { afterAll, describe, expect, test } from "vitest";
import { freePort } from "../../../servers/network.ts";
import { hostileServers, trusting } from "../links/tls-cases.ts";
import { good, identity, pki } from "../links/tls-certificates.ts";
import { ask, stopRogues } from "../links/tls-rogues.ts";
import { logged } from "../support/ask.ts";
import type { GatewayOptions } from "../support/harness.ts";
import { expectProblem, startGateway } from "../support/harness.ts";

/**
 * Every way in which a connection can fail, through the gateway. The caller gets a code and no internal
 * details. The operator gets one line with the step, the cause and what to check. Other files test TLS
 * (links/tls.test.ts), Hyperdrive (hyperdrive/outage.test.ts) and `npm run connect`
 * (links/connect-failures.test.ts).
 */
const links: [string, GatewayOptions][] = [
  ["platform", {}],
  ["rustls", { bundle: pki.ca }],
];
afterAll(stopRogues);

/** If no server greets, a separate rogue is useless. @returns the operator's one line */
async function refusalAt(options: GatewayOptions, host: string): Promise<string> {
  const gateway = await startGateway({ ...options, cluster: { hosts: [host], connect_timeout_ms: 3_000 } });
  try {
    const answer = await gateway.sql({ sql: "SELECT 1" });
    expectProblem(answer, 503, "database_unreachable");
    expect(JSON.stringify(answer.body)).not.toMatch(/invalid|localhost|127\.0\.0\.1|gw_analyst/);
    const lines = logged(gateway, "connection_refused");
    expect(lines).toHaveLength(1);
    return String(lines[0]?.reason);
  } finally {
    await gateway.close();
  }
}

describe.each(links)("%s", (_, options) => {
  test("a name without an address", async () => {
    expect(await refusalAt(options, "no-such-host.invalid:3306")).toMatch(
      /^no connection to no-such-host\.invalid:3306: .*; check the address and the firewall$/,
    );
  });

  test("a port where nobody listens", async () => {
    const port = await freePort();
    expect(await refusalAt(options, `localhost:${port}`)).toMatch(
      new RegExp(`^no connection to localhost:${port}: .*; check the address and the firewall$`),
    );
  });

  test.each([
    [1040, "database_connections_exhausted", "1040 Too many connections; compare max_connections"],
    [
      1130,
      "database_host_denied",
      "1130 Host is not allowed to connect to this server; check from which hosts",
    ],
  ] as const)("an error packet instead of a greeting: %i", async (errno, code, words) => {
    const { answer, evidence, refusals } = await ask(options, { kind: "error-greeting", errno });
    expectProblem(answer, 503, code);
    expect(refusals).toEqual([expect.stringContaining(words)]);
    expect(evidence).toMatchObject({ credentialBytes: 0, sslRequests: 0 });
    expect(JSON.stringify(answer.body)).not.toMatch(/1040|1130|localhost|max_connections/);
  });

  test("bad credentials", async () => {
    const { answer, refusals } = await ask(options, trusting(await identity(pki.authority.issue(good))));
    expectProblem(answer, 503, "database_login_failed");
    expect(refusals).toEqual([expect.stringMatching(/1045 Access denied .*; check the user, its secret/)]);
    expect(JSON.stringify(answer.body)).not.toMatch(/1045|rogue|gw_analyst/);
  });
});

test("each way of TLS to fail is among the hostile servers of tls.test.ts", () => {
  const names = hostileServers.map(({ name }) => name).join("\n");
  const ways = [
    "no TLS on offer",
    "another CA",
    "an expired",
    "not valid yet",
    "another host name",
    "TLS 1.1 alone",
  ];
  for (const way of [...ways, "no greeting", "an end instead of ServerHello", "nothing after"]) {
    expect(names).toContain(way);
  }
});
