// Runs on mariadb only: the engine has no part in most of what it tests. TiDB's refusals: tidb/connect.test.ts.
import { once } from "node:events";
import { createServer } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { freePort } from "../../../servers/network.ts";
import type { KeyedCertificate } from "../../../servers/pki.ts";
import { createAuthority, ensurePki } from "../../../servers/pki.ts";
import type { Behaviour } from "../../servers/adversary/behaviour.ts";
import type { Rogue } from "../../servers/adversary/rogue.ts";
import { startRogue } from "../../servers/adversary/rogue.ts";
import { server } from "../support/harness.ts";
import { address, ca, good, operator, password, untouched } from "../support/operator.ts";

/** `npm run connect` when the connection fails: each way with a real server or proxy. */

const desk = operator();
const { connect, config } = desk;
let rogue: Rogue | undefined;
afterEach(async () => {
  await rogue?.stop();
  rogue = undefined;
});

const days = (n: number) => new Date(Date.now() + n * 86_400_000);

describe("a connection that fails is told in one line", () => {
  /** @returns the one line of output; the run must fail and write nothing */
  async function failure(url: string, secret = "x"): Promise<string> {
    const { status, output } = await connect([url, ...ca, "--write", "--timeout-ms", "1500"], { secret });
    expect(status).toBe(2);
    expect(config()).toBe(untouched);
    const lines = output.split("\n").filter((line) => line.startsWith("Failed at "));
    expect(lines).toHaveLength(1);
    return lines[0] ?? "";
  }

  test("a name without an address", async () => {
    expect(await failure("mysql://u@no-such-host.invalid/world")).toBe(
      "Failed at dns: there is no address for no-such-host.invalid (ENOTFOUND). Check the host's spelling, and that the name is a public one.",
    );
  });

  test("a port where nobody listens", async () => {
    expect(await failure(`mysql://u@127.0.0.1:${await freePort()}/world`)).toMatch(
      /^Failed at dial: nobody listens on 127\.0\.0\.1:\d+ \(ECONNREFUSED\)\. Check the port/,
    );
  });

  test("a listener that never greets", async () => {
    const silent = createServer().listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as { port: number };
    silent.on("connection", (socket) => socket.on("error", () => {}).resume());
    expect(await failure(`mysql://u@127.0.0.1:${port}/world`)).toMatch(
      /^Failed at greeting: 127\.0\.0\.1:\d+ took the connection and did not greet within 1500 ms\. Check that/,
    );
    silent.close();
  });

  const identity = async (issued: Promise<KeyedCertificate> | KeyedCertificate) => {
    const { certificate, key } = await issued;
    return { certificate, privateKey: key };
  };
  const issue = async (options: object) =>
    (await ensurePki(server.pkiDirectory)).authority.issue({ ...good, ...options });
  const secure = async (options: object): Promise<Behaviour> => ({
    kind: "tls",
    login: "ok",
    ...(await identity(issue(options))),
  });

  test.each<[string, () => Behaviour | Promise<Behaviour>, RegExp]>([
    [
      "too many connections instead of a greeting",
      () => ({ kind: "error-greeting", errno: 1040 }),
      /^Failed at greeting: the server has too many connections \(error 1040: .*\)\. Check max_connections/,
    ],
    [
      "a host that is not allowed instead of a greeting",
      () => ({ kind: "error-greeting", errno: 1130 }),
      /^Failed at greeting: the server does not talk to this address \(error 1130: .*\)\. Check from which hosts/,
    ],
    [
      "something that is not MySQL",
      () => ({ kind: "garbage" }),
      /^Failed at greeting: localhost:\d+ (does not speak MySQL's protocol|sent clear text after its greeting)\. Check that this is the port/,
    ],
    [
      "no TLS on offer",
      () => ({ kind: "no-tls" }),
      /^Failed at tls: localhost:\d+ offers no TLS\. Check the server's ssl_cert/,
    ],
    [
      "an unknown CA",
      async () => ({
        kind: "tls",
        login: "ok",
        ...(await identity((await createAuthority("Tidegate development CA")).issue(good))),
      }),
      /^Failed at tls: the server's certificate is not issued by the CA that was given \(.*\)\. Check that --ca/,
    ],
    [
      "an expired certificate",
      () => secure({ notBefore: days(-30), notAfter: days(-1) }),
      /^Failed at tls: the server's certificate, or a CA above it, has expired\. Check its dates/,
    ],
    [
      "a certificate that is not yet valid",
      () => secure({ notBefore: days(2), notAfter: days(30) }),
      /^Failed at tls: the server's certificate, or a CA above it, is not yet valid\. Check its dates/,
    ],
    [
      "another name",
      () => secure({ dns: ["db.example.com"], ip: ["192.0.2.1"] }),
      /^Failed at tls: the certificate is for another host than localhost \(it names: DNS:db\.example\.com, .*\)\. Check that the host/,
    ],
    [
      "TLS 1.1 only",
      async () => ({
        ...(await secure({ keyType: "RSA-2048" })),
        minVersion: "TLSv1",
        maxVersion: "TLSv1.1",
      }),
      /^Failed at tls: server and gateway have no TLS version in common\. Check the server's tls_version/,
    ],
    [
      "a server that closes in the middle of the handshake",
      () => ({ kind: "close-after-ssl-request" }),
      /^Failed at tls: the server closed the connection in the middle of the TLS handshake\. Check its error log/,
    ],
    [
      "a server that hangs in the middle of the handshake",
      () => ({ kind: "hang-after-ssl-request" }),
      /^Failed at tls: localhost:\d+ did not finish the TLS handshake within 1500 ms\. Check/,
    ],
    [
      "an authentication plugin that is not allowed",
      async () => ({
        kind: "auth-switch",
        plugin: "mysql_clear_password",
        ...(await identity(issue({}))),
      }),
      /^Failed at login: the server asks for the authentication plugin mysql_clear_password, .*\. Check the login's/,
    ],
  ])("%s", async (_, behaviour, line) => {
    rogue = await startRogue(await behaviour());
    expect(await failure(`mysql://u@localhost:${rogue.port}/world`, "secret of mine")).toMatch(line);
    const { evidence } = rogue;
    if (line.source.includes("at login")) {
      expect(Buffer.concat(evidence.switchResponses).toString()).not.toContain("secret of mine");
    } else {
      // A server learns nothing before it is verified.
      expect(evidence).toMatchObject({ credentialBytes: 0, userNames: [], clearTextBytesAfterGreeting: 0 });
    }
  });

  test("a version that the string pins and the server lacks", async () => {
    rogue = await startRogue({ ...(await secure({})), maxVersion: "TLSv1.2" } as Behaviour);
    expect(await failure(`mysql://u@localhost:${rogue.port}/world?tls-version=TLSv1.3`)).toMatch(
      /^Failed at tls: server and gateway have no TLS version in common\./,
    );
  });

  test("a wrong password, on the real server", async () => {
    expect(await failure(`mysql://connect_reader@${address()}/world`, "wrong")).toMatch(
      /^Failed at login: no login as connect_reader \(error 1045: Access denied for user 'connect_reader'@'.*' \(using password: YES\)\)\. Check user and password/,
    );
  });

  test("a database that is not there, on the real server", async () => {
    expect(await failure(`mysql://connect_reader@${address()}/nowhere`, password)).toMatch(
      /^Failed at database: no database nowhere \(error 10(44|49): .*\)\. Check the database's name/,
    );
  });

  test("without --ca, the real server's private CA is unknown", async () => {
    const { output } = await connect([`mysql://u@${address()}/world`], { secret: "x" });
    expect(output).toMatch(/Failed at tls: .* is not issued by a public CA .*give it with --ca ca\.pem\./);
  });
});
