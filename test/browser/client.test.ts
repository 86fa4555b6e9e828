import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { packageProgram, packageRoot } from "../../cli/project/paths.ts";
import type { NpmStart } from "../start/npm-start.ts";
import type { OtherOrigin } from "./harness.ts";
import { openPage, start, startOtherOrigin } from "./harness.ts";
import { launch } from "./launch.ts";

/** `tidegate/client` in a real Chromium: the package's modules, on a page of another origin than the gateway's. */

const chromium = inject("chromium");
const built = join(packageRoot, ".tidegate", "test", "client-browser");

/** Gives a page the modules, from its own origin. */
async function serveModules(page: Page, origin: string): Promise<void> {
  await page.route(`${origin}/client/*.js`, (route) => {
    const [name = ""] = /[a-z-]+\.js$/.exec(route.request().url()) ?? [];
    return route.fulfill({ contentType: "text/javascript", body: readFileSync(join(built, name), "utf8") });
  });
}

describe.runIf(chromium)("the client in a page", () => {
  let npm: NpmStart;
  let browser: Browser;
  let other: OtherOrigin;
  let development: NpmStart["development"];
  beforeAll(async () => {
    if (chromium === null) return;
    const tsc = packageProgram("typescript", "tsc");
    execFileSync(process.execPath, [tsc, "-p", join(packageRoot, "tsconfig.client.json"), "--outDir", built]);
    [npm, browser, other] = await Promise.all([start(), launch(chromium), startOtherOrigin()]);
    ({ development } = npm);
  }, 200_000);
  afterAll(async () => {
    await browser?.close();
    await other?.stop();
    await npm?.interrupt();
  });

  /** Runs code in the page; it has `db`, and `createClient`, `url` and `token` for another one. */
  const run = (page: Page, code: string, role: "analyst" | "editor" = "editor") =>
    page.evaluate(`(async () => {
      const { createClient, TidegateError } = await import("/client/index.js");
      const url = ${JSON.stringify(development.gateway)};
      const token = ${JSON.stringify(development.tokens[role])};
      const db = createClient({ url, token });
      ${code}
    })()`);

  /** A page of the origin that the gateway's policy names. */
  async function openAllowed() {
    const opened = await openPage(browser);
    await serveModules(opened.page, development.page);
    await opened.page.goto(development.page);
    return opened;
  }

  test("asks for rows, one row, pages and a stream", async () => {
    const { page, complaints } = await openAllowed();
    const answer = await run(
      page,
      `const [tokyo] = await db.query.citiesByCountry({ country: "JP", limit: 1 });
       const got = await db.query.city({ id: tokyo.id }, { method: "GET" });
       const first = await db.query.cities.page({ region: "Asia" }, { pageSize: 2, total: true });
       const second = await db.query.cities.page({ region: "Asia" }, { pageSize: 2, cursor: first.next });
       let streamed = 0;
       for await (const row of db.sql\`SELECT name FROM cities LIMIT \${5000}\`.stream()) streamed += row.name ? 1 : 0;
       let left = 0;
       for await (const row of db.sql\`SELECT a.id FROM cities AS a, cities AS b LIMIT 3000000\`.stream()) if (++left === 5) break;
       return {
         same: got.name === tokyo.name && got.name,
         pages: [first.rows.length, second.rows.length, first.rows[0].id !== second.rows[0].id, first.total > 100],
         streamed,
         left,
       };`,
    );
    expect(answer).toEqual({ same: "Tokyo", pages: [2, 2, true, true], streamed: 5000, left: 5 });
    // Chromium tells of a stream that was left.
    expect(complaints.filter((line) => !line.includes("net::ERR_ABORTED"))).toEqual([]);
  });

  test("writes, in a transaction too, and reads each refusal", async () => {
    const { page } = await openAllowed();
    const answer = await run(
      page,
      `const counts = await db.query.addNote({ city_id: 1, body: "from a page" });
       const isNew = await db.transaction(async (tx) => {
         const { lastInsertId } = await tx.sql\`INSERT INTO notes (city_id, author, body) VALUES (1, 'page', 'x')\`.result();
         return lastInsertId !== counts.lastInsertId;
       });
       const error = await db.query.city({ id: 4294967295 }).catch((cause) => cause);
       const wrong = await createClient({ url, token: "nonsense" }).query.regions().catch((cause) => cause);
       return [counts.rowsAffected, isNew, error instanceof TidegateError, error.code, error.requestId.length, wrong.code];`,
    );
    expect(answer).toEqual([1, true, true, "row_missing", 36, "token_malformed"]);
  });

  test("on a page of an origin that may not ask gets no answer, which is an error of its own", async () => {
    const { page } = await openPage(browser);
    await serveModules(page, other.url);
    await page.goto(other.url);
    const answer = await run(
      page,
      `const error = await createClient({ url, token, retry: { tries: 1 } }).query.regions().catch((cause) => cause);
       return [error.code, error.status];`,
    );
    expect(answer).toEqual(["network_failed", 0]);
  });
});
