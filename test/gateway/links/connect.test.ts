import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ensurePki } from "../../../servers/pki.ts";
import { engine, server } from "../support/harness.ts";
import { address, ca, good, operator, password, policyIn, untouched } from "../support/operator.ts";

/** `npm run connect` with servers that it can use, and with strings that it must refuse. */

const run = operator();
const { connect, converse, config } = run;

describe("a real server", () => {
  test("is looked at, and the configuration is written", async () => {
    const { status, output } = await connect(
      [`mysql://connect_reader@${address()}/world?ssl-mode=VERIFY_IDENTITY`, ...ca, "--write"],
      { input: `${password}\n` },
    );
    expect(output).toContain("The connection works:");
    expect(status).toBe(0);
    expect(output).toMatch(new RegExp(`server +localhost:${server.port}, ${engine} \\d`));
    expect(output).toMatch(/verified by +rustls, as the gateway's link does\n/);
    expect(output).toMatch(/protocol +TLSv1\.3\n/);
    expect(output).toMatch(/cipher +TLS_[A-Z0-9_]+_SHA\d+\n/);
    expect(output).toMatch(/certificate +CN=localhost\n/);
    expect(output).toMatch(/issuer +CN=Tidegate development CA\n/);
    expect(output).toMatch(/valid until +\d{4}-\d\d-\d\d, \d+ days left\n/);
    expect(output).toMatch(/CA +CN=Tidegate development CA, \d{4}-\d\d-\d\d, 3\d{3} days left\n/);
    expect(output).toMatch(/USER\(\) +connect_reader@/);
    expect(output).toMatch(/CURRENT_USER\(\) +connect_reader@%\n/);
    expect(output).toMatch(/DATABASE\(\) +world\n/);
    expect(output).toContain("npx wrangler secret put READER_PASSWORD --env production");
    expect(output).toContain("the file's other accounts (analyst, editor)");
    expect(output).not.toContain(password);

    const policy = policyIn(config());
    const before = policyIn(untouched) as { accounts: object };
    expect(policy).toEqual({
      ...before,
      cluster: {
        engine,
        hosts: [address()],
        database: "world",
        location: "weur",
        link: "rustls",
        trust: "bundle",
        ca: "ca/production.pem",
      },
      accounts: { ...before.accounts, reader: { user: "connect_reader", password: "READER_PASSWORD" } },
    });
    expect(config()).not.toContain(password);
    // The existing text stays unchanged, with its comments.
    expect(config()).toContain(untouched.slice(untouched.indexOf("[[env.production.issuers]]")));
    expect(config()).toContain("# A template:");
    expect(readFileSync(join(run.directory, "ca", "production.pem"), "utf8").trim()).toBe(server.ca.trim());
  });

  test("a second run finds nothing to change", async () => {
    const args = [`mysql://connect_reader@${address()}/world`, ...ca];
    await connect([...args, "--write"], { secret: password });
    const written = config();
    const { status, output } = await connect(args, { secret: password });
    expect(status).toBe(0);
    expect(output).toContain("says all of this already");
    expect(config()).toBe(written);
  });

  test("nothing is written without --write and without a terminal to ask", async () => {
    const { status, output } = await connect([`mysql://connect_reader@${address()}/world`, ...ca], {
      secret: password,
    });
    expect(status).toBe(2);
    expect(output).toContain('+ link = "rustls"');
    expect(output).toContain("Add --write");
    expect(config()).toBe(untouched);
    expect(existsSync(join(run.directory, "ca"))).toBe(false);
  });

  test("a password in the string is used, warned about, and not repeated", async () => {
    const secret = encodeURIComponent(password);
    const { status, output } = await connect([
      `mysql://connect_reader:${secret}@${address()}/world`,
      ...ca,
      "--write",
    ]);
    expect(status).toBe(0);
    expect(output).toContain("the shell's history may keep it");
    expect(output).not.toContain(secret);
    expect(output).not.toContain(password);
  });

  test("the whole string can be piped in, and is no reason to warn", async () => {
    const line = `mysql -h localhost -P ${server.port} -u connect_reader -p"${password}" --tls-version=TLSv1.2 --ssl-ca=${server.caPath} world\n`;
    const { status, output } = await connect(["--write"], { input: line });
    expect(status).toBe(0);
    expect(output).not.toContain("history");
    // The version is pinned at both ends: the server would accept 1.3.
    expect(output).toMatch(/protocol +TLSv1\.2\n/);
    expect(policyIn(config()).cluster).toMatchObject({ tls_min: "TLSv1.2", tls_max: "TLSv1.2" });
  });

  // This needs `script` of util-linux: otherwise a terminal needs a native package.
  const hasTerminal = process.platform === "linux" && spawnSync("script", ["--version"]).status === 0;
  describe.runIf(hasTerminal)("in a terminal", () => {
    const url = () => `mysql://connect_reader@${address()}/world`;

    test("everything is asked for, the password without echo", async () => {
      const { status, output } = await converse(ca, [
        ["Enter twice:", `${url()}\r`],
        ["Password of connect_reader: ", password],
        ["Write it? [y/N] ", "y"],
      ]);
      expect(output).toContain("Written.");
      expect(status).toBe(0);
      expect(output).not.toContain(password.slice(0, 8));
      expect(policyIn(config()).cluster).toMatchObject({ hosts: [address()] });
    });

    test("no is an answer", async () => {
      const { status, output } = await converse(
        [url(), ...ca],
        [
          ["Password of connect_reader: ", password],
          ["Write it? [y/N] ", ""],
        ],
      );
      expect(output).toContain("Nothing was written.");
      expect(status).toBe(2);
      expect(config()).toBe(untouched);
    });

    test.each([
      ["Ctrl-C", "\u0003", 130],
      ["Ctrl-D", "\u0004", 1],
    ])("%s ends it at once", async (_, key, expected) => {
      const { status, output } = await converse([url(), ...ca], [["Password of connect_reader: ", key]]);
      expect(status).toBe(expected);
      expect(output).not.toContain("Warning");
      expect(config()).toBe(untouched);
    });
  });

  test.runIf(engine === "mysql")("a login that is mapped to an identity is written so", async () => {
    const { output } = await connect(
      [`mysql://gw_analyst@${address()}/world`, ...ca, "--account", "analyst", "--write"],
      { secret: server.passwords.ANALYST_PASSWORD ?? "" },
    );
    expect(output).toMatch(/CURRENT_USER\(\) +analyst@%\n/);
    expect(policyIn(config()).accounts).toHaveProperty("analyst", {
      user: "gw_analyst",
      password: "ANALYST_PASSWORD",
      acts_as: "analyst@%",
      shards: 2,
    });
  });

  test.each(["mysql", "Information_Schema"])("the server's own schema is refused: %s", async (name) => {
    const { status, output } = await connect(
      [`mysql://connect_reader@${address()}/${name}`, ...ca, "--write"],
      { secret: password },
    );
    expect(status).toBe(2);
    expect(output).toContain(`The database ${name} is the server's own`);
    expect(config()).toBe(untouched);
  });

  test.each([
    ["rejectUnauthorized=false", `{ host: "localhost", user: "u", ssl: { rejectUnauthorized: false } }`],
    ["sslMode=REQUIRED", "jdbc:mysql://localhost/world?user=u&sslMode=REQUIRED"],
    ["mutual TLS", "mysql -h localhost -u u --ssl-cert=c.pem --ssl-key=k.pem world"],
  ])("a string that asks for less is refused: %s", async (reason, text) => {
    const { status, output } = await connect([text, ...ca, "--write"], { secret: "x" });
    expect(status).toBe(2);
    expect(output).toContain(reason);
    expect(output).not.toContain("history");
    expect(config()).toBe(untouched);
  });

  test("a password is warned about even when its string is refused", async () => {
    const { output } = await connect([`mysql://u:hidden-one@${address()}/world?ssl-mode=REQUIRED`]);
    expect(output).toContain("history");
    expect(output).toContain("is refused");
    expect(output).not.toContain("hidden-one");
  });

  test.each([
    ["a private key", () => `${server.ca}-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n`],
    ["no PEM certificate", () => "not a certificate"],
    ["no CA's", async () => (await (await ensurePki(server.pkiDirectory)).authority.issue(good)).certificate],
  ])("a CA file with %s is refused", async (reason, text) => {
    const path = join(run.directory, "given.pem");
    writeFileSync(path, await text());
    const { status, output } = await connect([`mysql://u@${address()}/world`, "--ca", path], { secret: "x" });
    expect(status).toBe(2);
    expect(output).toContain(reason);
  });
});
