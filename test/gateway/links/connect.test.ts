import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { developmentIssuer } from "../../../cli/project/development-key.ts";
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
    expect(output).toContain("Written: ca/production.pem, .dev.vars.production, tidegate.toml.\n");
    expect(output).toContain("say who may use it");
    expect(output).toContain("npm run check -- --env production --database");
    expect(output).not.toContain("other accounts");
    expect(output).not.toContain(password);

    // The sample's production is a template: its accounts, issuers and grants go.
    const policy = policyIn(config());
    const { worker } = policyIn(untouched);
    expect(policy).toEqual({
      ...(worker === undefined ? {} : { worker }),
      cluster: {
        engine,
        hosts: [address()],
        database: "world",
        location: "weur",
        link: "rustls",
        trust: "bundle",
        ca: "ca/production.pem",
      },
      accounts: { reader: { user: "connect_reader", password: "READER_PASSWORD" } },
    });
    expect(config()).not.toContain(password);
    // The other environments stay unchanged, with their comments.
    const others = untouched.slice(
      0,
      untouched.indexOf(
        "# A template: put your cluster and your issuer here, then npm run check -- --env production",
      ),
    );
    expect(config()).toContain(others.trimEnd());
    const secrets = join(run.directory, ".dev.vars.production");
    expect(readFileSync(secrets, "utf8")).toBe(`READER_PASSWORD=\`${password}\`\n`);
    expect(statSync(secrets).mode & 0o777).toBe(0o600);
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
        ["Which? [3] ", ""],
        ["names these callers? [role=reader] ", "team=shop"],
        ["Which? [1] ", "2"],
        ["Write it? [y/N] ", "y"],
        ["Keep the password as READER_PASSWORD in .dev.vars.production", ""],
      ]);
      expect(output).toMatch(/Written: .*\.dev\.vars\.production, tidegate\.toml\./);
      expect(status).toBe(0);
      expect(output).not.toContain(password.slice(0, 8));
      expect(policyIn(config())).toMatchObject({
        cluster: { hosts: [address()] },
        issuers: [{ issuer: developmentIssuer, jwks: "ca/production.development.jwks.json" }],
        grants: [{ claims: { team: "shop" }, allow: ["query:*", "sql:read", "sql:write", "transaction"] }],
      });
    });

    test("with --development-key only for the password and for two agreements", async () => {
      const { status, output } = await converse(
        [url(), ...ca, "--development-key"],
        [
          ["Password of connect_reader: ", password],
          ["Write it? [y/N] ", "y"],
          ["Keep the password as READER_PASSWORD in .dev.vars.production", ""],
        ],
      );
      expect(status).toBe(0);
      expect(output).not.toMatch(/Which|may they do/);
      expect(policyIn(config()).grants).toEqual([
        {
          issuer: developmentIssuer,
          claims: { role: "reader" },
          account: "reader",
          allow: ["query:*", "sql:read"],
        },
      ]);
    });

    test("the password is kept only where the user agrees, and the user may write the grant alone", async () => {
      const { status, output } = await converse(
        [url(), ...ca],
        [
          ["Password of connect_reader: ", password],
          ["Which? [3] ", "4"],
          ["Write it? [y/N] ", "y"],
          ["Keep the password", "n"],
        ],
      );
      expect(status).toBe(0);
      expect(output).toContain("set the variable READER_PASSWORD");
      expect(existsSync(join(run.directory, ".dev.vars.production"))).toBe(false);
      expect(policyIn(config()).grants).toBeUndefined();
    });

    test("no is an answer", async () => {
      const { status, output } = await converse(
        [url(), ...ca],
        [
          ["Password of connect_reader: ", password],
          ["Which? [3] ", ""],
          ["names these callers?", ""],
          ["Which? [1] ", ""],
          ["Write it? [y/N] ", ""],
        ],
      );
      expect(output).toContain("Nothing was written.");
      expect(status).toBe(2);
      expect(config()).toBe(untouched);
      expect(readdirSync(run.directory)).toEqual(["tidegate.toml"]);
    });

    test.each([
      ["Ctrl-C", "\u0003", 130],
      ["Ctrl-D", "\u0004", 2],
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
    });
  });

  test("without a password it says how to give one", async () => {
    const { status, output } = await connect([`mysql://connect_reader@${address()}/world`, ...ca]);
    expect(status).toBe(2);
    expect(output).toBe(
      "There is no password: set TIDEGATE_PASSWORD, or give the string as an argument and pipe in the password: npm run connect -- 'STRING' < password.txt\n",
    );
  });

  test("a secret that .dev.vars.NAME cannot take is not called kept", async () => {
    const secrets = join(run.directory, ".dev.vars.production");
    const text = "READER_PASSWORD='old\nOTHER='1'\n";
    writeFileSync(secrets, text);
    const { status, output } = await connect(
      [`mysql://connect_reader@${address()}/world`, ...ca, "--write"],
      { secret: password },
    );
    expect(status).toBe(0);
    expect(output).toMatch(/^Note: \.dev\.vars\.production stays as it is/m);
    expect(output).toContain("set the variable READER_PASSWORD");
    expect(readFileSync(secrets, "utf8")).toBe(text);
  });

  test("a file with CRLF keeps its line ends", async () => {
    writeFileSync(join(run.directory, "tidegate.toml"), untouched.replaceAll("\n", "\r\n"));
    const args = [`mysql://connect_reader@${address()}/world`, ...ca, "--write"];
    const { status } = await connect(args, { secret: password });
    expect(status).toBe(0);
    expect(config().replaceAll("\r\n", "")).not.toMatch(/[\r\n]/);
    expect(policyIn(config()).cluster).toMatchObject({ engine, hosts: [address()] });
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
