import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { mint, readSigningKey } from "../../servers/issuer/issuer.ts";
import type { NpmStart } from "../start/npm-start.ts";
import { searchLog } from "../start/npm-start.ts";
import { directory, fetchIn, givenTokens, openPage, start, startOtherOrigin } from "./harness.ts";
import { launch } from "./launch.ts";

/** `GET /docs` of `npm start` in a real Chromium: only a real browser enforces the page's policy. */

const chromium = inject("chromium");
const query = "/v1/queries/cities-by-country";

// A new browser context reads Swagger UI anew, which takes seconds on a busy machine.
describe.runIf(chromium)("the documentation page", { timeout: 90_000 }, () => {
  let npm: NpmStart;
  let browser: Browser;
  let development: NpmStart["development"];
  let home: string;
  beforeAll(async () => {
    if (chromium === null) return;
    [npm, browser] = await Promise.all([start(), launch(chromium)]);
    ({ development } = npm);
    home = `${development.gateway}/docs`;
  }, 200_000);
  afterAll(async () => {
    await browser?.close();
    await npm?.interrupt();
  });

  /** A page with what it complains of, the violations of its policy, and the origins that it asks. */
  async function open(options: Parameters<typeof openPage>[1] = {}) {
    const { page, complaints } = await openPage(browser, options);
    page.setDefaultTimeout(60_000);
    const origins = new Set<string>();
    page.on("request", (request) => {
      if (!request.url().startsWith("data:")) origins.add(new URL(request.url()).origin);
    });
    await page.exposeFunction("tell", (violation: string) => complaints.push(violation));
    await page.addInitScript(`document.addEventListener("securitypolicyviolation", (event) =>
      tell(event.effectiveDirective + " " + event.blockedURI + " " + event.sourceFile))`);
    return { page, complaints, origins };
  }

  async function logIn(page: Page, role = "analyst") {
    await page.goto(home);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.waitForURL(`${development.issuer}/authorize?*`);
    await page.getByRole("button", { name: role }).click();
    await page.waitForURL(home);
    await operation(page).waitFor();
  }

  function operation(page: Page, method = "get", path = query) {
    return page.locator(`.opblock-${method}`).filter({ has: page.locator(`[data-path="${path}"]`) });
  }

  /** Fills in parameters of an operation and sends it. */
  async function tryIt(page: Page, values: Record<string, string>, path = query) {
    const block = operation(page, "get", path);
    await block.locator(".opblock-summary").click();
    for (const [name, value] of Object.entries(values)) {
      await block.locator(`tr[data-param-name="${name}"] input`).fill(value);
    }
    const [request] = await Promise.all([
      page.waitForRequest((each) => each.url().startsWith(development.gateway + path)),
      block.getByRole("button", { name: "Execute" }).click(),
    ]);
    const answer = block.locator(".live-responses-table .response").first();
    await answer.waitFor();
    return { request, answer };
  }

  test("logs in, lists what the caller may ask, and a query that is tried there shows its rows", async () => {
    const { page, complaints, origins } = await open();
    await logIn(page);
    const paths = await page
      .locator(".opblock-summary-path")
      .evaluateAll((all) => all.map((one) => one.getAttribute("data-path")));
    expect([...new Set(paths)]).toEqual(expect.arrayContaining([query, "/v1/queries/regions"]));

    const { request, answer } = await tryIt(page, { country: "JP", limit: "3" });
    expect(request.url()).toBe(`${development.gateway}${query}?country=JP&limit=3`);
    expect(await request.headerValue("authorization")).toMatch(/^Bearer ey/);
    expect(await answer.locator(".response-col_status").textContent()).toContain("200");
    const shown = (await answer.locator(".response-col_description").textContent()) ?? "";
    for (const city of ["Tokyo", "Yokohama", "Osaka"]) expect(shown).toContain(city);

    expect(complaints).toEqual([]);
    expect([...origins].sort()).toEqual([development.gateway, development.issuer].sort());
    expect(await page.context().cookies()).toEqual([]);
    expect(await stored(page)).toEqual([[], []]);
  });

  test("is read in the dark, on a narrow screen, the problem of a refused request too", async () => {
    const viewport = { width: 360, height: 740 };
    const { page, complaints } = await open({ colorScheme: "dark", viewport });
    await logIn(page);
    // The page itself keeps to the bounds of the document, so only the gateway can refuse this.
    const { answer } = await tryIt(page, { cursor: "none" }, "/v1/queries/cities");
    expect(await answer.locator(".response-col_status").textContent()).toContain("400");
    expect(await answer.textContent()).toContain("parameter_invalid");
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(viewport.width);
    const ground = await page.evaluate("getComputedStyle(document.documentElement).backgroundColor");
    expect(ground).toBe("rgb(28, 32, 34)");
    // Chromium reports each answer that is no success.
    expect(complaints.filter((text) => !text.includes("status of 400"))).toEqual([]);
  });

  test("takes a token that is pasted, and forgets it", async () => {
    const { page, complaints, origins } = await open();
    await page.goto(home);
    await page.getByLabel("Or paste an access token").fill(development.tokens.editor ?? "");
    await page.getByRole("button", { name: "Use the token" }).click();
    await operation(page, "post", "/v1/queries/add-note").waitFor();
    expect(await page.locator("#token").inputValue()).toBe("");
    expect([...origins]).toEqual([development.gateway]);
    await page.getByRole("button", { name: "Forget the token" }).click();
    await page.getByRole("button", { name: "Log in" }).waitFor();
    expect(await page.locator(".opblock").count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  test("says why a token is refused, and offers the login again", async () => {
    const { page } = await open();
    const claims = { iss: development.issuer, aud: development.audience, sub: "developer", role: "analyst" };
    const expired = await mint(await readSigningKey(development.signing_key), claims, { expires: 1 });
    await page.goto(home);
    for (const [token, title] of [
      [expired, "The access token has expired"],
      ["\u2026", "No answer"],
    ] as const) {
      await page.getByLabel("Or paste an access token").fill(token);
      await page.getByRole("button", { name: "Use the token" }).click();
      await page.getByRole("alert").filter({ hasText: title }).waitFor();
      expect(await page.getByRole("button", { name: "Log in" }).isVisible()).toBe(true);
    }
  });

  test("keeps nothing: the verifier until the issuer has answered, the token in memory", async () => {
    const { page } = await open();
    await page.goto(home);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.waitForURL(`${development.issuer}/authorize?*`);
    await page.goBack();
    expect(await stored(page)).toEqual([[], ["tidegate-docs-login"]]);
    await page.goForward();
    await page.getByRole("button", { name: "analyst" }).click();
    await operation(page).waitFor();
    expect(page.url()).toBe(home);
    expect(await stored(page)).toEqual([[], []]);
    await page.reload();
    await page.getByRole("button", { name: "Log in" }).waitFor();
    expect(await page.locator(".opblock").count()).toBe(0);
  });

  test("takes no answer to a login that it did not begin", async () => {
    const { page, origins } = await open();
    await page.goto(`${home}?code=stolen&state=guessed`);
    await page.getByRole("alert").filter({ hasText: "This is the answer to another login." }).waitFor();
    expect(page.url()).toBe(home);
    expect([...origins]).toEqual([development.gateway]);
  });

  test("runs no script and no style of a document, and talks to no other origin", async () => {
    const { page, complaints } = await open();
    const elsewhere = await startOtherOrigin();
    try {
      await page.route(`${development.gateway}/v1/openapi.json`, async (route) => {
        const response = await route.fetch();
        const document = await response.json();
        document.servers = [{ url: elsewhere.url }];
        document.info.description = `<img src="${elsewhere.url}/pixel" onerror="window.owned = 1"><style>body { display: none }</style>`;
        await route.fulfill({ response, json: document });
      });
      await logIn(page);
      const { request } = await tryIt(page, { country: "JP" });
      expect(new URL(request.url()).origin).toBe(development.gateway);
      expect(await page.evaluate("window.owned")).toBeUndefined();
      expect(await fetchIn(page, elsewhere.url)).toEqual({ error: "TypeError" });
      // The browser reports a violation a moment later.
      await expect
        .poll(() => complaints.join("\n"), { timeout: 15_000 })
        .toMatch(new RegExp(`style-src-elem inline[^]*connect-src ${elsewhere.url}`));
      expect(elsewhere.requests).toBe(0);
    } finally {
      await elsewhere.stop();
    }
  });

  test("is shown in no frame of another page", async () => {
    const { page } = await open();
    const other = await startOtherOrigin();
    try {
      await page.goto(other.url);
      await page.evaluate(`{
        const frame = document.createElement("iframe");
        frame.src = "${home}";
        document.body.append(frame);
      }`);
      await expect
        .poll(() => page.frames()[1]?.url(), { timeout: 15_000 })
        .toBe("chrome-error://chromewebdata/");
    } finally {
      await other.stop();
    }
  });

  test("leaves no token in the gateway's log", () => {
    expect(givenTokens.length).toBeGreaterThan(0);
    expect(searchLog(directory, development, givenTokens).leaks).toEqual([]);
  });
});

/** The keys of the page's storages. */
async function stored(page: Page): Promise<unknown> {
  return await page.evaluate("[Object.keys(localStorage), Object.keys(sessionStorage)]");
}
