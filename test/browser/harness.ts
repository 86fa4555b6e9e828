import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { expect } from "vitest";
import { packageRoot } from "../../cli/project/paths.ts";
import type { NpmStart } from "../start/npm-start.ts";
import { npmStart } from "../start/npm-start.ts";

export const directory = join(packageRoot, ".tidegate", "test", "browser");

/** `npm start` with its own ports, beside one that may already run. */
export async function start(): Promise<NpmStart> {
  return await npmStart(directory, { gateway: 38787, issuer: 38788, page: 38789, database: 33306 });
}

/**
 * The requests that reach the gateway from now on, in the order of their answers, as wrangler logs them:
 * "OPTIONS /v1/sql 204". The log is a little later than the answers, so a separate request marks the
 * beginning.
 */
export async function watchGateway({ gateway }: NpmStart["development"]): Promise<() => string[]> {
  const mark = `/mark-${randomUUID()}`;
  await fetch(gateway + mark);
  const read = () => readFileSync(join(directory, "dev", "gateway.log"), "utf8");
  const line = `[wrangler:info] GET ${mark} 404`;
  await expect.poll(read).toContain(line);
  return () => {
    const requests = (read().split(line)[1] ?? "").matchAll(/\[wrangler:info\] ([A-Z]+ \S+ \d{3})/g);
    // Chromium asks for the icon of any shown address, at any time.
    return [...requests].map(([, request = ""]) => request).filter((text) => !text.includes("/favicon.ico"));
  };
}

/** The tokens that the issuer has given to pages. */
export const givenTokens: string[] = [];

/** A page in its own profile, and all its errors and warnings. */
export async function openPage(
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<{ page: Page; complaints: string[] }> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("response", async (response) => {
    if (!response.url().endsWith("/token") || !response.ok()) return;
    // If the page was closed meanwhile, it has dropped the answer.
    const { access_token } = await response.json().catch(() => ({}));
    if (typeof access_token === "string") givenTokens.push(access_token);
  });
  page.on("requestfailed", (request) => complaints.push(`${request.url()}: ${request.failure()?.errorText}`));
  return { page, complaints };
}

/** Logs in as a person does: the button, the issuer's page, a role, and back. */
export async function logIn(page: Page, { page: home, issuer }: NpmStart["development"], role = "analyst") {
  await page.goto(home);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.waitForURL(`${issuer}/authorize?*`);
  await page.getByRole("button", { name: role }).click();
  await page.waitForURL(`${home}/`);
  await page.locator("#questions:enabled").waitFor();
}

/** Runs a statement of the page's second form; `params` has one parameter a line. */
export async function runStatement(page: Page, sql: string, params: string): Promise<void> {
  await page.getByLabel("Statement").fill(sql);
  await page.getByLabel("Parameters").fill(params);
  await page.getByRole("button", { name: "Run" }).click();
}

/** The table's cells of one column. */
export async function column(page: Page, name: string): Promise<string[]> {
  const heads = await page.locator("#head th").allTextContents();
  return await page.locator(`#rows td:nth-child(${heads.indexOf(name) + 1})`).allTextContents();
}

/** The result of a `fetch` in a page; `error` is the name of its rejection. */
export type Outcome = { status: number; code?: string } | { error: string };

/** Calls `fetch` in the page, not here. */
export async function fetchIn(page: Page, url: string, init: RequestInit = {}): Promise<Outcome> {
  return await page.evaluate(
    async ([address, options]) => {
      try {
        const response = await fetch(address, options);
        const text = await response.text();
        return { status: response.status, code: text.startsWith("{") ? JSON.parse(text).code : undefined };
      } catch (error) {
        return { error: (error as Error).name };
      }
    },
    [url, init] as const,
  );
}

export interface OtherOrigin {
  url: string;
  /** The number of requests until now. */
  readonly requests: number;
  stop(): Promise<void>;
}

/** Another origin on this machine: an empty page that every origin may read. */
export async function startOtherOrigin(): Promise<OtherOrigin> {
  let requests = 0;
  const server = createServer((_, response) => {
    requests += 1;
    response.writeHead(200, { "content-type": "text/html", "access-control-allow-origin": "*" });
    response.end('<!doctype html><link rel="icon" href="data:,"><title>other</title>');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get requests() {
      return requests;
    },
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
