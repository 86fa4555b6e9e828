import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { packageRoot } from "../../cli/project/paths.ts";
import { endOrphan } from "../../cli/start/gateway.ts";
import type { Engine } from "../../servers/database/engines.ts";
import { freePort } from "../../servers/network.ts";
import type { NpmStart } from "./npm-start.ts";
import { isAlive, typeStart } from "./npm-start.ts";
import type { OwnServer } from "./own-server.ts";
import { filesWith, fill, makeProject, readerPassword, startOwnServer, stateOf } from "./own-server.ts";
import { hasCurl, pasteInto } from "./pasted.ts";

/** `tidegate start --database`: a real server with a private CA, in a project that was made from the sample. */

const program = [process.execPath, join(packageRoot, "cli", "tidegate.ts")];
const ports = ["--port", "31787", "--issuer-port", "31788", "--page-port", "31789"];
const password = { TIDEGATE_DATABASE_PASSWORD: readerPassword };

describe.each<Engine>(["mariadb", "mysql"])("a database of one's own: %s", (engine) => {
  const home = join(packageRoot, ".tidegate", "test", `own-${engine}`);
  const directory = join(home, "private");
  const project = join(home, "project");
  let own: OwnServer;
  let ca: string;
  let before: string[];
  let started: NpmStart | undefined;
  const start = (user: string, variables: Record<string, string>) =>
    typeStart([...program, "start", ...optionsFor(user), ...ports], directory, project, variables);
  const optionsFor = (user: string) => [
    ...["--database", `mysql://${user}@localhost:${own.server.port}/shop`],
    ...["--ca", ca],
  ];

  beforeAll(async () => {
    // An earlier run may have left a gateway.
    endOrphan(join(directory, "dev"));
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    makeProject(project);
    own = await startOwnServer(engine, join(home, "server"));
    ca = own.server.caPath;
    await fill(own);
    before = await stateOf(own);
  }, 180_000);
  afterAll(async () => {
    await started?.interrupt();
    await own?.stop();
  }, 30_000);

  /** Types a command of the project in another terminal. */
  function type(words: string[], variables: Record<string, string> = {}) {
    const [node = "", ...script] = program;
    const { TIDEGATE_DATABASE_PASSWORD: _, ...environment } = process.env;
    const { status, stdout, stderr } = spawnSync(node, [...script, ...words], {
      cwd: project,
      env: { ...environment, ...variables, TIDEGATE_DIRECTORY: directory },
      encoding: "utf8",
      input: "",
    });
    return { status, stdout, stderr };
  }

  describe("with a login that only reads", () => {
    beforeAll(async () => {
      started = await start("reader", password);
    }, 200_000);

    test("says which database serves, and what of the project cannot be served from it", () => {
      const { output = "" } = started ?? {};
      expect(output).toContain(`shop on localhost:${own.server.port} serves as reader (${engine} `);
      expect(output).toContain('"query:my-notes" is left out: there is no saved query "my-notes"');
      expect(output).toContain(
        "1 of 2 saved queries that read cannot run on this database. The first is queries/country.sql: ",
      );
      expect(output).toMatch(
        /^Nothing here writes into it, except callers whose grant lets them: editor\.$/m,
      );
      expect(output).not.toMatch(/^\s+at |world|loaded/m);
    });

    test.runIf(hasCurl)("prints a saved query of the project and a statement, which work when pasted", () => {
      const lines = started?.output.split("\n").filter((line) => line.startsWith("curl ")) ?? [];
      const rows = lines.map((line) => JSON.parse(pasteInto(directory, line).body).rows);
      expect(rows).toEqual([
        [{ id: 2, item: "desk", price: "210.00" }],
        [
          { id: 1, item: "lamp", price: "30.50" },
          { id: 2, item: "desk", price: "210.00" },
        ],
      ]);
    });

    test("the page asks for what the project has", async () => {
      const config = await (await fetch(`${started?.development.page}/config.js`)).text();
      expect(config).toContain('export const query = {"name":"orders","parameters":{"price":"100.00"}};');
      expect(config).toContain("SELECT id, item, price FROM orders LIMIT 3");
    });

    test("the other commands know it, and are given the password anew", () => {
      const accounts = type(["accounts"], password);
      expect(accounts.stdout).toMatch(/^analyst: ok\n[\s\S]* {2}identity +reader@%\n/);
      expect(accounts.status).toBe(0);
      expect(type(["accounts"])).toMatchObject({
        status: 2,
        stderr: expect.stringContaining("set the environment variable TIDEGATE_DATABASE_PASSWORD"),
      });
      const token = type(["token", "--role", "editor"]).stdout.trim();
      expect(type(["explain", "--token", token, "--action", "sql:write"]).stdout).toContain(
        "sql:write: as editor",
      );
      expect(type(["token", "--role", "nobody"])).toEqual({
        status: 2,
        stdout: "",
        stderr: "No grant is for that role. There are: editor, analyst, operator.\n",
      });
      expect(type(["drain", "--env", "development"]).stdout).toMatch(/^analyst: \d+ idle closed/);
    });

    test("check --database asks it, once the file has no mistake", () => {
      const words = ["check", "--env", "development", "--database"];
      expect(type(words, password).stderr).toContain('there is no saved query "my-notes"');
      const path = join(project, "tidegate.toml");
      writeFileSync(path, readFileSync(path, "utf8").replace('"query:my-notes", ', ""));
      const { stderr, status } = type(words, password);
      expect(stderr).toMatch(/^- queries\/country\.sql:\d+:\d+: .*1146/m);
      expect(stderr).not.toContain("orders");
      expect(status).toBe(1);
    });

    test("the server refuses what the login may not do", async () => {
      const { gateway = "", tokens = {} } = started?.development ?? {};
      const response = await fetch(`${gateway}/v1/sql`, {
        method: "POST",
        headers: { authorization: `Bearer ${tokens.editor}`, "content-type": "application/json" },
        body: JSON.stringify({ sql: "DELETE FROM orders" }),
      });
      expect(await response.json()).toMatchObject({ code: "sql_denied" });
    });

    test("the password stands in no file", () => {
      const secrets = [
        readerPassword,
        JSON.stringify(readerPassword).slice(1, -1),
        encodeURIComponent(readerPassword),
      ];
      expect(filesWith(directory, secrets).concat(filesWith(project, secrets))).toEqual([]);
      // The search finds what is there.
      expect(filesWith(project, ["query:orders"])).toEqual([join(project, "tidegate.toml")]);
    });
  });

  describe("with an administrator's login, after a crash", () => {
    let crashed: NpmStart["development"]["pids"] | undefined;
    beforeAll(async () => {
      crashed = started?.development.pids;
      started?.kill();
      await vi.waitUntil(() => !isAlive(crashed?.start ?? null), { timeout: 10_000 });
    });

    test("what the crash left is not taken for a running gateway", () => {
      // The policy of the project, not that of the start that is over: its server is the sample's.
      const { stderr, status } = type(["accounts"], { ANALYST_PASSWORD: "x", EDITOR_PASSWORD: "x" });
      expect(`${status}${stderr}`).not.toContain("reader");
      expect(type(["token"])).toMatchObject({
        status: 2,
        stderr: expect.stringContaining("Nothing is running"),
      });
    });

    test("a second start serves, and ends the gateway that was left", async () => {
      const { user, password: secret } = own.server.administrator;
      started = await start(user, { TIDEGATE_DATABASE_PASSWORD: secret });
      expect(isAlive(crashed?.gateway ?? null)).toBe(false);
      const [line = ""] = started.output.split("\n").filter((text) => text.startsWith("curl "));
      if (hasCurl) expect(JSON.parse(pasteInto(directory, line).body).rows).toHaveLength(1);
      const { pids } = started.development;
      await started.interrupt();
      await expect
        .poll(() => [pids.start, pids.gateway].map(isAlive), { timeout: 10_000 })
        .toEqual([false, false]);
    }, 200_000);
  });

  test("nothing on the server has changed: databases, tables, rows, accounts, rights, counters", async () => {
    const after = await stateOf(own);
    expect(after).toEqual(before);
    expect(after.filter((line) => /^Com_(insert|create_table|drop_user) /i.test(line))).toHaveLength(3);
    // The comparison sees a change.
    await own.administrator.query("CREATE TABLE shop.seen (id INT PRIMARY KEY)");
    expect(await stateOf(own)).not.toEqual(before);
  });
});

describe("a start that cannot serve says why in one line, and leaves nothing", () => {
  const home = join(packageRoot, ".tidegate", "test", "own-faults");
  const directory = join(home, "private");
  const project = join(home, "project");
  const files = { other: join(home, "other.pem"), none: join(home, "none.pem") };
  let own: OwnServer;
  let open: OwnServer;
  let closed: number;
  beforeAll(async () => {
    rmSync(directory, { recursive: true, force: true });
    makeProject(project);
    own = await startOwnServer("mariadb", join(home, "server"));
    await fill(own);
    open = await startOwnServer("mariadb", join(home, "open"), "none");
    closed = await freePort();
    mkdirSync(home, { recursive: true });
    writeFileSync(files.other, readFileSync(open.server.caPath));
  }, 180_000);
  afterAll(async () => {
    await own?.stop();
    await open?.stop();
  }, 30_000);

  const place = (host = "localhost", port = own.server.port) => `mysql://reader@${host}:${port}/shop`;
  const ca = () => ["--ca", own.server.caPath];
  const cases: [name: string, options: () => string[], words: RegExp, secret?: string][] = [
    [
      "a wrong password",
      () => ["--database", place(), ...ca()],
      /^Failed at login: no login as reader \(error 1045: .*\. Check user and password/,
      "wrong-Secret-5512",
    ],
    [
      "another CA",
      () => ["--database", place(), "--ca", files.other],
      /^Failed at tls: the server's certificate is not issued by the CA that was given/,
    ],
    [
      "a private CA that is not given",
      () => ["--database", place()],
      /^Failed at tls: .* not issued by a public CA .*--ca ca\.pem\.$/,
    ],
    [
      "another name",
      () => ["--database", place("127.0.0.1"), ...ca()],
      /^Failed at tls: the certificate is for another host than 127\.0\.0\.1 \(it names: DNS:localhost\)/,
    ],
    [
      "nobody listens",
      () => ["--database", place("localhost", closed), ...ca()],
      /^Failed at dial: nobody listens on localhost:/,
    ],
    ["no such host", () => ["--database", place("nothing.invalid"), ...ca()], /^Failed at dns: /],
    [
      "a server without TLS",
      () => ["--database", place("localhost", open.server.port), ...ca()],
      /^Failed at tls: .* offers no TLS\. /,
    ],
    [
      "no such database",
      () => ["--database", place().replace("/shop", "/shoe"), ...ca()],
      /^Failed at database: no database shoe /,
    ],
    [
      "no database",
      () => ["--database", place().replace("/shop", ""), ...ca()],
      /^The string of --database names no database: add it/,
    ],
    [
      "the server's own database",
      () => ["--database", place().replace("/shop", "/mysql"), ...ca()],
      /^The database mysql is the server's own/,
    ],
    [
      "no password",
      () => ["--database", place(), ...ca()],
      /^There is no password for reader: put it into the environment variable TIDEGATE_DATABASE_PASSWORD\.$/,
      "",
    ],
    [
      "another engine",
      () => ["--database", "postgres://reader@localhost/shop"],
      /^The connection string of --database is refused: .*scheme/,
    ],
    [
      "no TLS wanted",
      () => ["--database", `${place()}?ssl-mode=DISABLED`, ...ca()],
      /^The connection string of --database is refused: ssl-mode=DISABLED /,
    ],
    [
      "a CA that is not there",
      () => ["--database", place(), "--ca", files.none],
      /^The file of --ca \(.*none\.pem\) is not there\.$/,
    ],
    [
      "a CA that is none",
      () => ["--database", place(), "--ca", join(project, "tidegate.toml")],
      /^The file of --ca \(.*tidegate\.toml\) has no PEM certificate/,
    ],
    ["--ca alone", ca, /^--ca is for a database of your own: /],
  ];

  function refused(options: string[], variables: Record<string, string>) {
    const [node = "", ...script] = program;
    const { stdout, stderr, status } = spawnSync(node, [...script, "start", ...options], {
      cwd: project,
      env: { ...process.env, ...variables, TIDEGATE_DIRECTORY: directory },
      encoding: "utf8",
      input: "",
    });
    return {
      stdout,
      status,
      lines: stderr
        .trim()
        .split("\n")
        .filter((line) => !line.startsWith("Note: ")),
    };
  }

  test.each(cases)("%s", (_, options, words, secret = readerPassword) => {
    const { stdout, status, lines } = refused(options(), { TIDEGATE_DATABASE_PASSWORD: secret });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(words);
    expect(lines[0]).not.toContain(secret || "\0");
    expect([status, stdout]).toEqual([2, ""]);
    expect(() => readFileSync(directory)).toThrow("ENOENT");
  });

  test("--engine, which is for the sample, with the variable of a database", () => {
    const { status, lines } = refused(["--engine", "mysql"], { TIDEGATE_DATABASE_URL: place() });
    expect([status, lines[0]]).toEqual([
      2,
      "Option '--engine <ENGINE>' cannot be used with environment variable 'TIDEGATE_DATABASE_URL'",
    ]);
  });

  test("a password in the string is not repeated, and the reader is told where it is better kept", () => {
    const string = place().replace("reader@", "reader:wrong-Secret-5512@");
    const [node = "", ...script] = program;
    const words = [...script, "start", "--database", string, ...ca()];
    const { stderr, status } = spawnSync(node, words, {
      cwd: project,
      env: { ...process.env, TIDEGATE_DIRECTORY: directory },
      encoding: "utf8",
    });
    expect(stderr).toMatch(/^Note: the password stood on the command line/);
    expect(stderr).not.toContain("wrong-Secret");
    expect(status).toBe(2);
  });

  test("a project whose accounts the sample does not have, without --database", () => {
    const path = join(project, "tidegate.toml");
    const policy = readFileSync(path, "utf8");
    const known = policy.replaceAll('"query:my-notes", ', "");
    writeFileSync(path, known.replaceAll(/(?<=accounts\.|account = ")editor/g, "clerk"));
    const { status, lines } = refused([], {});
    writeFileSync(path, policy);
    expect(lines).toEqual([
      "The sample database has the accounts analyst and editor, and [env.development] has clerk too: serve your own database with --database, or take them out.",
    ]);
    expect(status).toBe(2);
  });

  test("a mistake of the project's files", () => {
    const path = join(project, "queries", "broken.sql");
    writeFileSync(path, "SELECT :unknown AS x\n");
    const { status, lines } = refused(["--database", place(), ...ca()], {
      TIDEGATE_DATABASE_PASSWORD: readerPassword,
    });
    rmSync(path);
    expect(lines).toEqual([expect.stringMatching(/^queries\/broken\.sql:1:8: .*:unknown is not declared/)]);
    expect(status).toBe(2);
  });
});
