import { setTimeout as sleep } from "node:timers/promises";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { mint, readSigningKey } from "../../servers/issuer/issuer.ts";
import type { NpmStart } from "../start/npm-start.ts";
import { searchLog } from "../start/npm-start.ts";
import type { OtherOrigin } from "./harness.ts";
import {
  column,
  directory,
  fetchIn,
  givenTokens,
  logIn,
  openPage,
  runStatement,
  start,
  startOtherOrigin,
  watchGateway,
} from "./harness.ts";
import { launch } from "./launch.ts";

/**
 * The example page of `npm start` in a real Chromium, because only a real browser shows how browsers
 * behave.
 */

const chromium = inject("chromium");
const statement = "SELECT name FROM cities WHERE country_code = ? ORDER BY population DESC LIMIT 3";
const japan = ["Tokyo", "Yokohama", "Osaka"];

describe.runIf(chromium)("the example page", () => {
  let npm: NpmStart;
  let browser: Browser;
  let other: OtherOrigin;
  let development: NpmStart["development"];
  beforeAll(async () => {
    if (chromium === null) return;
    [npm, browser, other] = await Promise.all([start(), launch(chromium), startOtherOrigin()]);
    ({ development } = npm);
  }, 200_000);
  afterAll(async () => {
    await browser?.close();
    await other?.stop();
    await npm?.interrupt();
  });

  test("logs in at the issuer and shows rows that it fetched from the gateway's origin", async () => {
    const { page, complaints } = await openPage(browser);
    await logIn(page, development);
    const [request] = await Promise.all([
      page.waitForRequest((one) => one.url().startsWith(development.gateway)),
      page.getByRole("button", { name: "Saved query" }).click(),
    ]);
    // The example in the head of queries/cities-by-country.sql.
    await expect.poll(() => column(page, "name")).toEqual(["Auckland", "Wellington", "Christchurch"]);

    const headers = await request.allHeaders();
    expect(headers).toMatchObject({ origin: development.page, "sec-fetch-mode": "cors" });
    expect(headers.authorization).toMatch(/^Bearer ey/);
    expect(new URL(page.url()).origin).not.toBe(new URL(development.gateway).origin);
    const shown = await page.locator("#headers").textContent();
    expect(shown).toMatch(/^x-request-id: [0-9a-f-]{36}\nserver-timing: queue;dur=\d/);

    await runStatement(
      page,
      "SELECT name AS city FROM cities WHERE country_code = ? AND name = ?",
      "NZ\nWellington",
    );
    await expect.poll(() => column(page, "city")).toEqual(["Wellington"]);
    expect(await page.context().cookies()).toEqual([]);
    expect(complaints).toEqual([]);
  });

  test("asks for leave once: the preflight's answer is remembered", async () => {
    const { page } = await openPage(browser);
    await logIn(page, development);
    const seen = await watchGateway(development);
    await runStatement(page, statement, "JP");
    await expect.poll(() => column(page, "name")).toEqual(japan);
    // Without Access-Control-Max-Age the browser would forget it after 5 s (Fetch Standard, CORS-preflight
    // fetch).
    await sleep(5_500);
    await runStatement(page, statement, "NZ");
    await expect.poll(() => column(page, "name")).toContain("Auckland");
    await expect.poll(seen).toEqual(["OPTIONS /v1/sql 204", "POST /v1/sql 200", "POST /v1/sql 200"]);
  });

  test("shows why a write is refused", async () => {
    const { page } = await openPage(browser);
    await logIn(page, development);
    await runStatement(page, "INSERT INTO notes (city_id, author, body) VALUES (1, 'me', ?)", "hello");
    await page.getByRole("alert").waitFor();
    expect(await page.locator("#problem-title").textContent()).toBe("No grant gives access");
    expect(await page.locator("#problem-detail").textContent()).toBe("The grant does not allow sql:write.");
    expect(await column(page, "name")).toEqual([]);
  });

  test("writes for a caller who may write", async () => {
    const { page } = await openPage(browser);
    await logIn(page, development, "editor");
    await runStatement(page, "INSERT INTO notes (city_id, author, body) VALUES (1, 'me', ?)", "hello");
    await expect.poll(() => page.locator("#headers").textContent()).toContain("x-request-id");
    expect(await page.getByRole("alert").isHidden()).toBe(true);
  });

  test("offers the login again when the token is refused", async () => {
    const { page } = await openPage(browser);
    const claims = { iss: development.issuer, aud: development.audience, sub: "developer", role: "analyst" };
    const expired = await mint(await readSigningKey(development.signing_key), claims, { expires: 1 });
    await page.route(`${development.issuer}/token`, async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, json: { ...(await response.json()), access_token: expired } });
    });
    await logIn(page, development);
    expect(await page.getByRole("button", { name: "Log in" }).isHidden()).toBe(true);
    await page.getByRole("button", { name: "Saved query" }).click();
    await page.getByRole("button", { name: "Log in" }).waitFor();
    expect(await page.locator("#problem-title").textContent()).toBe("The access token has expired");
    expect(await page.getByRole("button", { name: "Saved query" }).isDisabled()).toBe(true);
  });

  test("keeps nothing: the verifier until the issuer has answered, the token in memory", async () => {
    const { page } = await openPage(browser);
    const stored = () => page.evaluate("[Object.keys(localStorage), Object.keys(sessionStorage)]");
    await page.goto(development.page);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.waitForURL(`${development.issuer}/authorize?*`);
    await page.goBack();
    expect(await stored()).toEqual([[], ["tidegate-login"]]);
    await page.goForward();
    await page.getByRole("button", { name: "analyst" }).click();
    await page.locator("#questions:enabled").waitFor();
    expect(page.url()).toBe(`${development.page}/`);
    expect(await stored()).toEqual([[], []]);
    expect(await page.context().cookies()).toEqual([]);
    await page.reload();
    await page.getByRole("button", { name: "Log in" }).waitFor();
    expect(await page.getByRole("button", { name: "Saved query" }).isDisabled()).toBe(true);
  });

  test("takes no answer to a login that it did not begin", async () => {
    const { page } = await openPage(browser);
    await page.goto(`${development.page}/?code=stolen&state=guessed`);
    await page.getByRole("alert").waitFor();
    expect(await page.locator("#problem-detail").textContent()).toBe("This is the answer to another login.");
    expect(page.url()).toBe(`${development.page}/`);
  });

  test("can send the token to no other origin", async () => {
    const { page, complaints } = await openPage(browser);
    await page.goto(development.page);
    const before = other.requests;
    expect(await fetchIn(page, other.url)).toEqual({ error: "TypeError" });
    expect(complaints.join("\n")).toContain("Content Security Policy");
    expect(other.requests).toBe(before);
  });

  describe("and a page of an origin that is not listed", () => {
    const authorized = () => ({ authorization: `Bearer ${development.tokens.editor}` });
    const write = () => ({
      method: "POST",
      headers: { ...authorized(), "content-type": "application/json" },
      body: JSON.stringify({ sql: "DELETE FROM notes WHERE author = 'nobody'" }),
    });

    test("reads nothing, with a good token or without, and its statements never arrive", async () => {
      const [{ page: listed }, { page: foreign }] = [await openPage(browser), await openPage(browser)];
      await listed.goto(development.page);
      await foreign.goto(other.url);
      const query = `${development.gateway}/v1/queries/regions`;
      const sql = `${development.gateway}/v1/sql`;
      const livez = `${development.gateway}/livez`;
      expect(await fetchIn(listed, query, { headers: authorized() })).toMatchObject({ status: 200 });
      expect(await fetchIn(listed, livez)).toMatchObject({ status: 200 });
      expect(await fetchIn(listed, sql, write())).toMatchObject({ status: 200 });
      const seen = await watchGateway(development);
      expect(await fetchIn(foreign, query, { headers: authorized() })).toEqual({ error: "TypeError" });
      expect(await fetchIn(foreign, sql, write())).toEqual({ error: "TypeError" });
      expect(await fetchIn(foreign, livez)).toEqual({ error: "TypeError" });
      await expect
        .poll(seen)
        .toEqual(["OPTIONS /v1/queries/regions 204", "OPTIONS /v1/sql 204", "GET /livez 200"]);
    });

    /** The three content types that need no preflight (Fetch Standard, CORS-safelisted). */
    const simple = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"];

    test.each(simple)("gets nowhere with a form of %s, which is sent without asking", async (type) => {
      const { page } = await openPage(browser);
      await page.goto(other.url);
      const seen = await watchGateway(development);
      const [response] = await Promise.all([
        page.waitForResponse(`${development.gateway}/v1/sql`),
        page.evaluate(`{
          const form = document.body.appendChild(document.createElement("form"));
          Object.assign(form, { method: "post", action: "${development.gateway}/v1/sql", enctype: "${type}" });
          const field = form.appendChild(document.createElement("input"));
          Object.assign(field, { name: '{"sql":"DELETE FROM notes","x":"', value: '"}' });
          form.submit();
        }`),
      ]);
      expect(response.status()).toBe(401);
      expect(await response.headerValue("content-type")).toBe("application/problem+json");
      await expect.poll(seen).toEqual(["POST /v1/sql 401"]);
    });

    test.each(simple)("nor is %s taken for JSON from a listed page, with a token", async (type) => {
      const { page } = await openPage(browser);
      await page.goto(development.page);
      const init = { ...write(), headers: { ...authorized(), "content-type": type } };
      expect(await fetchIn(page, `${development.gateway}/v1/sql`, init)).toEqual({
        status: 415,
        code: "media_type_unsupported",
      });
    });
  });

  test("leaves no token and no password in the gateway's log", () => {
    expect(givenTokens.length).toBeGreaterThan(0);
    const { leaks, lines } = searchLog(directory, development, givenTokens);
    expect(leaks).toEqual([]);
    expect(lines).toBeGreaterThan(10);
  });
});
