import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DatabaseServer } from "../../../servers/database/server.ts";
import type { Authority } from "../../../servers/pki.ts";
import { createAuthority } from "../../../servers/pki.ts";
import type { CountingProxy } from "../../../servers/wire/proxy.ts";
import { logged } from "../support/ask.ts";
import { loadFurther, startFurther } from "../support/further-server.ts";
import type { GatewayOptions } from "../support/harness.ts";
import { expectProblem, server, startGateway, startProxy } from "../support/harness.ts";
import { operator, password } from "../support/operator.ts";

/**
 * TiDBs with another TLS than the project's: none, a foreign CA, one version only. A refused server gets no
 * login.
 */

const links: [string, GatewayOptions][] = [
  ["platform", {}],
  ["rustls", { bundle: server.ca }],
];

/** @returns the caller's code, and the operator's only reason */
async function refusal(options: GatewayOptions, port: number): Promise<{ code: string; reason: string }> {
  const hosts = [`localhost:${port}`];
  const gateway = await startGateway({ ...options, cluster: { ...options.cluster, hosts } });
  try {
    const answer = await gateway.sql({ sql: "SELECT 1" });
    expectProblem(answer, 503, answer.body.code);
    expect(JSON.stringify(answer.body)).not.toMatch(/localhost|gw_analyst|CA|127\.0\.0\.1/);
    const lines = logged(gateway, "connection_refused");
    expect(lines).toHaveLength(1);
    return { code: answer.body.code, reason: String(lines[0]?.reason) };
  } finally {
    await gateway.close();
  }
}

const run = operator();
/** @returns the output of `npm run connect` for the server with these options */
async function connect(port: number, options: string[]): Promise<string> {
  const url = `mysql://connect_reader@localhost:${port}/world`;
  const { status, output } = await run.connect([url, ...options, "--write"], { secret: password });
  expect(status).toBe(2);
  expect(output).toContain("Nothing was written.");
  return output;
}

describe("without TLS", () => {
  let open: DatabaseServer;
  beforeAll(async () => {
    open = await startFurther("tls-none", { tls: "none" });
  });
  afterAll(() => open?.stop());

  test.each(links)("%s: refused", async (_, options) => {
    expect(await refusal(options, open.port)).toEqual({
      code: "database_tls_failed",
      reason: "the server offers no TLS; turn it on there",
    });
  });

  test("npm run connect: refused", async () => {
    expect(await connect(open.port, ["--ca", server.caPath])).toMatch(
      /Failed at tls: localhost:\d+ offers no TLS\. Check .*the gateway never logs in without TLS/,
    );
  });
});

describe("with a certificate of another CA", () => {
  let stranger: Authority;
  let foreign: DatabaseServer;
  beforeAll(async () => {
    stranger = await createAuthority("Another CA");
    const pair = await stranger.issue({ commonName: "tidb", dns: ["localhost"], ip: ["127.0.0.1"] });
    foreign = await startFurther("tls-foreign", { pki: { ca: stranger.certificate, ...pair } });
  });
  afterAll(() => foreign?.stop());

  test.each(links)("%s: refused", async (link, options) => {
    const { code, reason } = await refusal(options, foreign.port);
    expect(code).toBe("database_tls_failed");
    expect(reason).toMatch(link === "rustls" ? /is not issued by a CA of the bundle/ : /check .*CA/);
  });

  test("npm run connect: refused", async () => {
    expect(await connect(foreign.port, ["--ca", server.caPath])).toMatch(/Failed at tls: .*CA/);
  });

  test("positive control: with that CA it comes as far as the login, which that server does not know", async () => {
    const { code } = await refusal({ bundle: stranger.certificate }, foreign.port);
    expect(code).toBe("database_login_failed");
  });
});

describe("with one version of TLS", () => {
  /** @returns the TLS version of a connection, by the server's own word */
  async function negotiated(options: GatewayOptions, port = server.port): Promise<unknown> {
    const hosts = [`localhost:${port}`];
    const gateway = await startGateway({ ...options, cluster: { ...options.cluster, hosts } });
    try {
      const { body } = await gateway.sql({ sql: "SHOW SESSION STATUS LIKE 'Ssl_version'" });
      return body.rows?.[0]?.Value ?? body;
    } finally {
      await gateway.close();
    }
  }

  async function expectNone(port: number, version: "TLSv1.2" | "TLSv1.3"): Promise<void> {
    const cluster = { tls_min: version, tls_max: version };
    const { code, reason } = await refusal({ bundle: server.ca, cluster }, port);
    expect(code).toBe("database_tls_failed");
    expect(reason).toContain(`it has no TLS version between tls_min ${version} and tls_max ${version}`);
  }

  describe("1.3 alone (tls-version)", () => {
    let pinned: DatabaseServer;
    beforeAll(async () => {
      pinned = await startFurther("tls-1.3", { configuration: { security: { "tls-version": "TLSv1.3" } } });
      await loadFurther(pinned);
    });
    afterAll(() => pinned?.stop());

    test.each(links)("%s: has it", async (_, options) => {
      expect(await negotiated(options, pinned.port)).toBe("TLSv1.3");
    });

    test("rustls, pinned to 1.2: refused", () => expectNone(pinned.port, "TLSv1.2"));
  });

  // TiDB has no setting for the highest version, so a proxy in front of it ends TLS.
  describe("1.2 alone", () => {
    let proxy: CountingProxy;
    beforeAll(async () => {
      proxy = await startProxy({ tlsVersion: "TLSv1.2" });
    });
    afterAll(() => proxy?.stop());

    test.each(links)("%s: has it", async (_, options) => {
      // The server reports the proxy's own connection.
      expect(await negotiated(options, proxy.port)).toMatch(/^TLS/);
      expect(proxy.connections.at(-1)?.tlsVersion).toBe("TLSv1.2");
    });

    test("rustls, pinned to 1.3: refused", () => expectNone(proxy.port, "TLSv1.3"));
  });

  test.each(["TLSv1.2", "TLSv1.3"])("rustls, pinned to %s: has it of a TiDB with both", async (version) => {
    const options = { bundle: server.ca, cluster: { tls_min: version, tls_max: version } };
    expect(await negotiated(options)).toBe(version);
  });
});
