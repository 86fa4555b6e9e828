import { once } from "node:events";
import net from "node:net";
import tls from "node:tls";
import mysql from "mysql2/promise";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { createAuthority } from "../../../../servers/pki.ts";
import { capability, frame } from "../../../../servers/wire/packets.ts";
import { type CountingProxy, type ProxyOptions, startCountingProxy } from "../../../../servers/wire/proxy.ts";
import type { Behaviour, Identity } from "../../../servers/adversary/behaviour.ts";
import { type Rogue, startRogue } from "../../../servers/adversary/rogue.ts";

let identity: Identity;
let ca: string;
const running: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  const authority = await createAuthority("Test authority");
  const { certificate, key } = await authority.issue({ commonName: "rogue", ip: ["127.0.0.1"] });
  identity = { certificate, privateKey: key };
  ca = authority.certificate;
});

afterEach(async () => {
  for (const server of running.splice(0).reverse()) await server.stop();
});

async function rogue(behaviour: Behaviour): Promise<Rogue> {
  const started = await startRogue(behaviour);
  running.push(started);
  return started;
}

async function proxyTo(target: { port: number }, more: Partial<ProxyOptions> = {}): Promise<CountingProxy> {
  const to = { host: "127.0.0.1", port: target.port, ca };
  const started = await startCountingProxy({ target: to, ...identity, ...more });
  running.push(started);
  return started;
}

function connect({ port }: { port: number }, ssl: mysql.SslOptions = {}): Promise<mysql.Connection> {
  const options = { host: "127.0.0.1", port, user: "gw_reader", password: "secret", connectTimeout: 3000 };
  return mysql.createConnection({ ...options, ssl: { ca, ...ssl } });
}

const everyone = (): Behaviour => ({
  ...identity,
  kind: "wrong-identity",
  onQuery: (sql) => {
    if (sql.startsWith("SET")) return { columns: [], rows: [] };
    if (sql.includes("user")) return { columns: ["user", "note"], rows: [["root@%", null]] };
    return { errno: 1064, message: "no such thing", sqlState: "42000" };
  },
});

function sslRequest(): Buffer {
  const payload = Buffer.alloc(32);
  payload.writeUInt32LE(capability.PROTOCOL_41 | capability.SECURE_CONNECTION | capability.SSL);
  return frame(1, payload);
}

describe("rogue", () => {
  test("without TLS it gets no byte from a client that wants TLS", async () => {
    const server = await rogue({ kind: "no-tls" });
    await expect(connect(server)).rejects.toMatchObject({ code: "HANDSHAKE_NO_SSL_SUPPORT" });
    expect(server.evidence).toMatchObject({ connections: 1, clearTextBytesAfterGreeting: 0, userNames: [] });
  });

  test("without TLS it records the clear text of a careless client", async () => {
    const server = await rogue({ kind: "no-tls" });
    const { port } = server;
    const client = await mysql.createConnection({ host: "127.0.0.1", port, user: "gw", password: "secret" });
    await client.query("DO 1");
    client.destroy();
    expect(server.evidence.userNames).toEqual(["gw"]);
    expect(server.evidence.credentialBytes).toBe(2 + 32);
    expect(server.evidence.clearTextBytesAfterGreeting).toBeGreaterThan(80);
    expect(server.evidence.commands).toEqual([{ command: "COM_QUERY", text: "DO 1" }]);
  });

  test("with a certificate that the client trusts it gets the login, encrypted", async () => {
    const server = await rogue({ kind: "tls", login: "ok", ...identity });
    const client = await connect(server);
    await client.ping();
    client.destroy();
    expect(server.evidence).toMatchObject({
      sslRequests: 1,
      tlsHandshakes: 1,
      clearTextBytesAfterGreeting: 0,
    });
    expect(server.evidence.userNames).toEqual(["gw_reader"]);
    expect(server.evidence.credentialBytes).toBe("gw_reader".length + 32);
  });

  test("with a certificate that the client does not trust it gets no user name", async () => {
    const server = await rogue({ kind: "tls", login: "ok", ...identity });
    const other = await createAuthority("Another authority");
    await expect(connect(server, { ca: other.certificate })).rejects.toThrow(/verify|signature|issuer/);
    expect(server.evidence).toMatchObject({ sslRequests: 1, userNames: [], credentialBytes: 0 });
  });

  test("can refuse every login, or offer only old versions of TLS", async () => {
    await expect(connect(await rogue({ kind: "tls", login: "denied", ...identity }))).rejects.toMatchObject({
      errno: 1045,
    });
    const old = await rogue({ kind: "tls", login: "ok", maxVersion: "TLSv1.1", ...identity });
    await expect(connect(old, { minVersion: "TLSv1.2" })).rejects.toThrow(/version/);
    expect(old.evidence.tlsErrors.join()).toMatch(/version|protocol/);
    expect(old.evidence.userNames).toEqual([]);
    // The old versions really work: a client that allows them can connect.
    const lax = { minVersion: "TLSv1.1", maxVersion: "TLSv1.1", ciphers: "DEFAULT:@SECLEVEL=0" } as const;
    (await connect(old, lax)).destroy();
    expect(old.evidence.userNames).toEqual(["gw_reader"]);
  });

  test("can ask for the password with another plugin", async () => {
    const server = await rogue({ kind: "auth-switch", plugin: "mysql_clear_password", ...identity });
    await expect(connect(server)).rejects.toMatchObject({ code: "MYSQL_CLEAR_PASSWORD_NOT_ENABLED" });
    const options = { host: "127.0.0.1", port: server.port, user: "gw", password: "secret", ssl: { ca } };
    const before = server.evidence.credentialBytes;
    await expect(mysql.createConnection({ ...options, enableCleartextPlugin: true })).rejects.toThrow(
      /denied/,
    );
    expect(server.evidence.credentialBytes - before).toBe("gw".length + 32 + "secret\0".length);
  });

  test("accepts every login and answers as another identity", async () => {
    const server = await rogue(everyone());
    const client = await connect(server);
    expect((await client.query("SELECT CURRENT_USER() user"))[0]).toEqual([{ user: "root@%", note: null }]);
    await client.query("SET ROLE x");
    await expect(client.query("SELECT 1")).rejects.toMatchObject({ errno: 1064, sqlState: "42000" });
    await expect(client.execute("SELECT ?", [1])).rejects.toMatchObject({ errno: 1295 });
    client.destroy();
    expect(server.evidence.commands.map(({ command }) => command)).toEqual([
      ...Array(3).fill("COM_QUERY"),
      "COM_STMT_PREPARE",
    ]);
  });

  test.each<[Behaviour, RegExp]>([
    [{ kind: "error-greeting", errno: 1040 }, /Too many connections/],
    [{ kind: "error-greeting", errno: 1130 }, /not allowed/],
    [{ kind: "hang" }, /ETIMEDOUT/],
    [{ kind: "close-after-greeting" }, /lost|closed|disconnected|hang up|ECONNRESET|EPIPE/],
    [{ kind: "close-after-ssl-request" }, /lost|disconnected|ECONNRESET|EPIPE/],
    [{ kind: "hang-after-ssl-request" }, /ETIMEDOUT/],
  ])("%o gets no credentials", async (behaviour, message) => {
    const server = await rogue(behaviour);
    const options = { host: "127.0.0.1", port: server.port, user: "gw", password: "x", connectTimeout: 300 };
    await expect(mysql.createConnection({ ...options, ssl: { ca } })).rejects.toThrow(message);
    expect(server.evidence).toMatchObject({
      connections: 1,
      clearTextBytesAfterGreeting: 0,
      credentialBytes: 0,
    });
  });

  test("sends its late bytes before it begins TLS, also if the client begins early", async () => {
    const server = await rogue({ kind: "injected-late", ...identity });
    await expect(connect(server)).rejects.toThrow(/wrong version|packet|record/);
    expect(server.evidence).toMatchObject({ sslRequests: 1, tlsHandshakes: 0, credentialBytes: 0 });
  });

  test("counts bytes after the request for TLS that are not TLS as clear text", async () => {
    const server = await rogue({ kind: "tls", login: "ok", ...identity });
    const client = net.connect(server.port, "127.0.0.1");
    await once(client, "data");
    client.on("error", () => {}).write(sslRequest());
    await expect.poll(() => server.evidence.sslRequests).toBe(1);
    expect(server.evidence.clearTextBytesAfterGreeting).toBe(0);
    client.write("\x03\0\0\0gw\0");
    await expect.poll(() => server.evidence.clearTextBytesAfterGreeting).toBe(7);
    client.destroy();
  });

  test.each(["injected-after-greeting", "injected-late", "garbage"] as const)(
    "sends its bytes: %s",
    async (kind) => {
      const server = await rogue({ kind });
      const client = net.connect(server.port, "127.0.0.1");
      const first = (await once(client, "data"))[0] as Buffer;
      const injected = frame(2, Buffer.from([0, 0, 0, 2, 0, 0, 0]));
      if (kind === "garbage") expect(first).toHaveLength(512);
      else if (kind === "injected-late") expect((await once(client, "data"))[0]).toEqual(injected);
      else expect(first.subarray(-injected.length)).toEqual(injected);
      // Neither TLS nor a request for TLS. It counts, although it is not a packet.
      client.write("clear");
      await expect.poll(() => server.evidence.clearTextBytesAfterGreeting).toBe(5);
      client.destroy();
    },
  );
});

describe("proxy", () => {
  test.each([
    ["TLSv1.3", 3],
    ["TLSv1.2", 4],
  ] as const)("counts a login over %s and forwards queries", async (version, loginRoundTrips) => {
    const server = await rogue(everyone());
    const proxy = await proxyTo(server);
    const client = await connect(proxy, { minVersion: version, maxVersion: version });
    expect(proxy.loginRoundTrips).toEqual([loginRoundTrips]);
    expect(proxy.connections[0]?.tlsVersion).toBe(version);
    expect(proxy.roundTrips()).toBe(0);
    const mark = proxy.mark();
    expect((await client.query("SELECT CURRENT_USER() user"))[0]).toEqual([{ user: "root@%", note: null }]);
    await client.ping();
    expect(mark.roundTrips).toBe(2);
    expect(mark.commands).toEqual([
      { command: "COM_QUERY", text: "SELECT CURRENT_USER() user" },
      { command: "COM_PING" },
    ]);
    expect(proxy).toMatchObject({ accepted: 1, open: 1 });
    await client.end();
    await expect.poll(() => proxy.open).toBe(0);
    expect(proxy.roundTrips()).toBe(2);
    const kinds = proxy.connections[0]?.events.map(({ kind, phase, command }) =>
      [kind, phase, command ?? ""].join(" "),
    );
    expect(kinds).toEqual([
      "connect handshake ",
      "greeting handshake ",
      "tls handshake ",
      "command handshake HandshakeResponse41",
      "reply handshake ",
      "command command COM_QUERY",
      "reply command ",
      "command command COM_PING",
      "reply command ",
      "command command COM_QUIT",
      "close command ",
    ]);
  });

  test("counts commands of one write once, for every cut, and commands without reply never", async () => {
    const proxy = await proxyTo(await rogue(everyone()));
    const client = await connect(proxy);
    const stream = (client as unknown as { connection: { stream: net.Socket } }).connection.stream;
    stream.removeAllListeners("data");
    const ping = frame(0, Buffer.from([0x0e]));
    const close = frame(0, Buffer.from([0x19, 1, 0, 0, 0]));
    const answers = async (count: number) => {
      for (let bytes = 0; bytes < count * 11; ) bytes += ((await once(stream, "data"))[0] as Buffer).length;
    };
    const mark = proxy.mark();
    stream.write(Buffer.concat([ping, close, ping, ping]));
    await answers(3);
    expect(mark.roundTrips).toBe(1);
    // The first ping is answered while half of the second is still on its way. They were one write.
    stream.write(Buffer.concat([ping, ping.subarray(0, 3)]));
    await answers(1);
    stream.write(ping.subarray(3));
    await answers(1);
    expect(mark.roundTrips).toBe(2);
    stream.write(close);
    const closes = () => mark.commands.filter(({ command }) => command === "COM_STMT_CLOSE");
    await expect.poll(() => closes().length).toBe(2);
    expect(mark.roundTrips).toBe(2);
    stream.write(ping);
    await answers(1);
    expect(mark.roundTrips).toBe(3);
    client.destroy();
  });

  test("also counts a login without TLS, and passes on an error instead of a greeting", async () => {
    const proxy = await proxyTo(await rogue({ kind: "no-tls" }));
    const client = await mysql.createConnection({ host: "127.0.0.1", port: proxy.port, user: "gw" });
    client.destroy();
    expect(proxy.loginRoundTrips).toEqual([2]);
    const full = await proxyTo(await rogue({ kind: "error-greeting", errno: 1040 }));
    await expect(connect(full)).rejects.toMatchObject({ errno: 1040 });
  });

  test("accepts a client's first TLS bytes in the same segment as its request for TLS", async () => {
    const server = await rogue(everyone());
    const proxy = await proxyTo(server);
    const raw = net.connect(proxy.port, "127.0.0.1");
    await once(raw, "data");
    raw.cork();
    raw.write(sslRequest());
    const secure = tls.connect({ socket: raw, ca, host: "127.0.0.1" });
    process.nextTick(() => raw.uncork());
    await once(secure, "secureConnect");
    expect(secure.authorized).toBe(true);
    secure.destroy();
  });

  test("a delay lengthens every counted round trip", async () => {
    const proxy = await proxyTo(await rogue(everyone()), { delayMs: 15 });
    const timed = async (run: () => Promise<unknown>) => {
      const startMs = performance.now();
      await run();
      return performance.now() - startMs;
    };
    let client: mysql.Connection | undefined;
    const loginMs = await timed(async () => {
      client = await connect(proxy);
    });
    expect(loginMs).toBeGreaterThanOrEqual(3 * 30);
    const queryMs = await timed(async () => client?.query("SET x"));
    expect(queryMs).toBeGreaterThanOrEqual(30);
    proxy.setDelayMs(0);
    // A busy machine may be slow sometimes, but not always.
    await expect.poll(() => timed(async () => client?.query("SET x")), { timeout: 15_000 }).toBeLessThan(30);
    client?.destroy();
  });

  test("a black hole holds bytes back until it ends", async () => {
    const proxy = await proxyTo(await rogue(everyone()));
    const client = await connect(proxy);
    proxy.blackHole(true);
    let answered = false;
    const query = client.query("SET x").then(() => {
      answered = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(answered).toBe(false);
    proxy.blackHole(false);
    await query;
    client.destroy();
  });

  test("drops and refuses connections, and works again later", async () => {
    const proxy = await proxyTo(await rogue(everyone()));
    const client = await connect(proxy);
    client.on("error", () => {});
    const query = client.query({ sql: "SELECT user", timeout: 3000 });
    proxy.dropAll();
    await expect(query).rejects.toThrow(/lost|ECONNRESET/);
    await expect.poll(() => proxy.open).toBe(0);
    proxy.refuse(true);
    await expect(connect(proxy)).rejects.toThrow(/lost|ECONNRESET/);
    proxy.refuse(false);
    (await connect(proxy)).destroy();
    expect(proxy.accepted).toBe(3);
  });

  test("refuses a server that its authority has not signed", async () => {
    const other = await createAuthority("Another authority");
    const server = await rogue(everyone());
    const target = { host: "127.0.0.1", port: server.port, ca: other.certificate };
    const proxy = await proxyTo(server, { target });
    await expect(connect(proxy)).rejects.toThrow();
    expect(server.evidence.userNames).toEqual([]);
    await expect.poll(() => proxy.connections[0]?.events.at(-1)?.text).toMatch(/verify|signature|issuer/);
  });
});
