// Runs on mariadb only: the engine has no part in what it tests.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { smokeTest } from "../../../cli/deploy/smoke.ts";
import type { Gateway } from "../support/harness.ts";
import { startGateway } from "../support/harness.ts";

/** The smoke test of a deployment, against a real gateway; what a stranger answers comes from a real HTTP server. */

const patienceMs = 60_000;

async function smoke(url: URL, more: { token?: string; query?: string; patienceMs?: number } = {}) {
  const lines: string[] = [];
  const { token, query } = more;
  const mistake = await smokeTest({ url, token, query, patienceMs: more.patienceMs ?? patienceMs }, (line) =>
    lines.push(line),
  );
  return { mistake, lines };
}

describe("a gateway that works", () => {
  let gateway: Gateway;
  beforeAll(async () => {
    gateway = await startGateway();
  });
  afterAll(() => gateway?.close());

  test("is asked for its health, the token, and the first query that reads and needs nothing", async () => {
    const token = await gateway.token();
    expect(await smoke(gateway.url, { token })).toEqual({
      mistake: undefined,
      lines: [
        "/livez says live",
        "/readyz says ready",
        expect.stringMatching(/^the token is good: it may run \d+ saved queries$/),
        expect.stringMatching(/^[a-z-]+ answers \d+ bytes in \d+ ms$/),
      ],
    });
  });

  test("is asked the query that is named", async () => {
    const { mistake, lines } = await smoke(gateway.url, { token: await gateway.token(), query: "regions" });
    expect(mistake).toBeUndefined();
    expect(lines.at(-1)).toMatch(/^regions answers \d+ bytes/);
  });

  test("without a token only its health is asked, and that is said", async () => {
    const { mistake, lines } = await smoke(gateway.url);
    expect(mistake).toBeUndefined();
    expect(lines.at(-1)).toContain("there is no token, so no query was asked: set TIDEGATE_SMOKE_TOKEN");
  });

  test("a token that is refused is a mistake, and is not repeated", async () => {
    const token = await gateway.token({ aud: "another" });
    const { mistake, lines } = await smoke(gateway.url, { token });
    expect(mistake).toMatch(/\/v1\/queries answers 401: .*\(token_invalid, request [\w-]+\)$/);
    expect([mistake, ...lines].join("\n")).not.toContain(token);
  });

  test.each([
    ["nosuch", /^The token may not run nosuch, or there is no such query\. It may run: .*regions/],
    ["city", /^city needs [\w, ]+: name a query that needs no parameter\.$/],
    ["add-note", /^add-note writes: name a query that only reads\.$/],
  ])("the query %s is refused with the remedy", async (query, words) => {
    const token = await gateway.token({ role: "editor" });
    expect((await smoke(gateway.url, { token, query })).mistake).toMatch(words);
  });
});

describe("a gateway that does not work", () => {
  test("its database is not there: /readyz is the mistake", async () => {
    const gateway = await startGateway({ cluster: { hosts: ["localhost:1"] } });
    try {
      const { mistake, lines } = await smoke(gateway.url, { patienceMs: 0 });
      expect(lines).toEqual(["/livez says live"]);
      expect(mistake).toMatch(/\/readyz answers 503: .*\(database_unreachable, request [\w-]+\)$/);
    } finally {
      await gateway.close();
    }
  });

  test("another program answers, a redirect, and no program at all", async () => {
    const server = createServer((request, response) =>
      request.headers.host?.startsWith("localhost")
        ? response.writeHead(302, { location: "https://login.example/" }).end()
        : response.end("<html>hello</html>"),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const stranger = await smoke(new URL(`http://127.0.0.1:${port}`), { patienceMs: 0 });
    expect(stranger.mistake).toBe(
      `http://127.0.0.1:${port}/livez answers 200, and not as a Tidegate does: check routes and the address`,
    );
    const moved = await smoke(new URL(`http://localhost:${port}`), { patienceMs: 0 });
    expect(moved.mistake).toContain("redirects to https://login.example/ (status 302)");
    await new Promise((resolve) => server.close(resolve));
    const closed = createServer();
    await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
    const { port: free } = closed.address() as AddressInfo;
    await new Promise((resolve) => closed.close(resolve));
    const gone = await smoke(new URL(`http://127.0.0.1:${free}`), { patienceMs: 0 });
    expect(gone.mistake).toContain(`/livez gives no answer: No program listens on 127.0.0.1:${free}`);
  });

  test("a new deployment may take a while: it is asked until it is live and ready", async () => {
    let asked = 0;
    const server = createServer((request, response) => {
      asked += 1;
      const [status] = request.url === "/livez" ? ["live"] : ["ready"];
      // As an address of Cloudflare that is new.
      if (asked === 1) response.writeHead(404).end("There is nothing here yet");
      else response.end(JSON.stringify({ status }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const { mistake } = await smoke(new URL(`http://127.0.0.1:${port}`));
    await new Promise((resolve) => server.close(resolve));
    expect([mistake, asked]).toEqual([undefined, 3]);
  });
});
