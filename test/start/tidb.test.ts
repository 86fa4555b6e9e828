import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Development } from "../../cli/project/development.ts";
import { packageRoot } from "../../cli/project/paths.ts";
import { findTidb } from "../../servers/database/tidb/installation.ts";
import { messageOf } from "../../servers/errors.ts";
import type { NpmStart } from "./npm-start.ts";
import { isAlive, npmStart, searchLog } from "./npm-start.ts";
import { expectExamples, expectPrinted, hasCurl, pasteInto } from "./pasted.ts";

/** `npm start -- --engine tidb`: the commands that a newcomer types, and their output. */

const directory = join(packageRoot, ".tidegate", "test", "start-tidb");
const paste = (line: string) => pasteInto(directory, line);
/** Types a command of the project in another terminal. */
const type = (line: string) => paste(`cd ${packageRoot} && npm run --silent ${line}`);

/** Without a TiDB these tests are skipped. With CI set, or a named program, no test is skipped. */
const unavailable = await findTidb((line) => console.log(`  ${line}`)).then(
  () => undefined,
  (cause: unknown) => {
    if (process.env.CI || process.env.TIDEGATE_TIDB) throw cause;
    console.log(`  SKIPPED, npm start with TiDB. ${messageOf(cause)}`);
    return messageOf(cause);
  },
);

describe.skipIf(unavailable !== undefined)("npm start -- --engine tidb", () => {
  let started: NpmStart;
  let development: Development;
  beforeAll(async () => {
    const ports = { gateway: 28797, issuer: 28798, page: 28799, database: 24000 };
    started = await npmStart(directory, ports, "tidb");
    ({ development } = started);
  }, 200_000);
  afterAll(() => started?.kill());

  test("says what is behind it, and dev.json has it", () => {
    expect(started.output).toMatch(/Behind it: tidb \S+TiDB\S+, verified TLS/);
    const { database, pids } = development;
    expect(database).toMatchObject({ engine: "tidb", port: 24000, administrator: { user: "root" } });
    for (const pid of Object.values(pids)) expect(isAlive(pid)).toBe(true);
  });

  describe.runIf(hasCurl)("the lines work when pasted", () => {
    test.each([0, 1] as const)("printed line %i", (index) => expectPrinted(started, index, paste));

    test("every example of docs/reference/http.md", () => expectExamples(development, paste));
  });

  test("npm run accounts finds nothing wrong with the sample's accounts", () => {
    const { status, body } = type("accounts -- --strict");
    expect(body).toMatch(/^analyst: ok\n[\s\S]*^editor: ok\n[\s\S]*^2 accounts, 0 refused, 0 warnings\n$/m);
    expect(body).toContain("proxy      none: the login is itself");
    expect(status).toBe(0);
  });

  test("npm run check and npm run explain know its policy", () => {
    expect(type("check -- --env development")).toEqual({ status: 0, body: "development: good\n" });
    const { status, body } = type(`explain -- --token ${development.tokens.editor} --action sql:write`);
    expect(body).toContain("sql:write: as editor");
    expect(status).toBe(0);
  });

  test("npm run token mints one that may write, and npm run drain closes what has written", async () => {
    const token = type("token -- --role editor --sub tester").body.trim();
    const response = await fetch(`${development.gateway}/v1/queries/add-note`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ city_id: 1, body: "from a test" }),
    });
    expect(response.status).toBe(200);
    expect(type("drain -- --env development").body).toMatch(/^editor: \d+ idle closed, \d+ in use /m);
  });

  test("--database with a login that may write is refused for grants that only read", () => {
    const { port, ca, administrator } = development.database;
    const words = ["start", "--database", `mysql://root@localhost:${port}/world`, "--ca", ca ?? ""];
    const { status, stderr } = spawnSync(process.execPath, ["cli/tidegate.ts", ...words], {
      cwd: packageRoot,
      env: {
        ...process.env,
        TIDEGATE_DIRECTORY: `${directory}-none`,
        TIDEGATE_DATABASE_PASSWORD: administrator?.password,
      },
      encoding: "utf8",
    });
    expect(stderr).toMatch(
      /^The account analyst only reads, which TiDB does not enforce, and root may do more: /,
    );
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(status).toBe(2);
  });

  test("another engine is not one of the three", () => {
    const { stderr, status } = spawnSync("npm", ["start", "--", "--engine", "oracle"], {
      cwd: packageRoot,
      env: { ...process.env, TIDEGATE_DIRECTORY: `${directory}-none` },
      encoding: "utf8",
    });
    expect(stderr).toContain("Allowed choices are mysql, mariadb, tidb.");
    expect(status).toBe(2);
  });

  test("no password and no token stands in the gateway's log", () => {
    expect(searchLog(directory, development).leaks).toEqual([]);
  });

  test("Ctrl-C stops everything that was started", async () => {
    await started.interrupt();
    expect(existsSync(join(directory, "dev.json"))).toBe(false);
    await expect
      .poll(() => Object.values(development.pids).filter((pid) => isAlive(pid)), { timeout: 15_000 })
      .toEqual([]);
  }, 30_000);
});
