import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { packageRoot } from "../project/paths.ts";
import type { QueryExample, StatementExample } from "./examples.ts";

export interface PageOptions {
  port: number;
  /** The issuer's origin. The page may talk only to the issuer and the gateway. */
  issuer: string;
}

/** What the page asks first. */
export interface PageContent {
  /** The gateway's origin. */
  gateway: string;
  query: QueryExample | undefined;
  statement: StatementExample | undefined;
}

export interface PageServer {
  url: string;
  /** Begins to serve. The gateway's policy names the page's origin, so the page starts first. */
  serve(content: PageContent): void;
  stop(): Promise<void>;
}

const types: Record<string, string> = {
  "index.html": "text/html; charset=utf-8",
  "page.js": "text/javascript; charset=utf-8",
  "login.js": "text/javascript; charset=utf-8",
  "style.css": "text/css; charset=utf-8",
};

/** Serves examples/browser on loopback, with a config.js that names the running gateway and issuer. */
export async function startPage({ port, issuer }: PageOptions): Promise<PageServer> {
  let content: PageContent | undefined;
  const server = createServer((request, response) => {
    if (content === undefined) {
      response.writeHead(503, { "retry-after": "1" }).end();
      return;
    }
    const headers = headersFor(issuer, content.gateway);
    const [path = ""] = (request.url ?? "").split("?");
    const name = path === "/" ? "index.html" : path.slice(1);
    const type = name === "config.js" ? types["page.js"] : types[name];
    if (request.method !== "GET") response.writeHead(405, { allow: "GET" }).end();
    else if (type === undefined) response.writeHead(404, headers).end();
    else {
      // The file is read for each request, so a reload shows a change of the example.
      const body =
        name === "config.js"
          ? configOf({ issuer, ...content })
          : readFileSync(join(packageRoot, "examples", "browser", name));
      response.writeHead(200, { ...headers, "content-type": type }).end(body);
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${port}`,
    serve: (given) => {
      content = given;
    },
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** @returns a module that exports each value */
function configOf(values: Record<string, unknown>): string {
  return Object.entries(values)
    .map(([name, value]) => `export const ${name} = ${JSON.stringify(value ?? null)};\n`)
    .join("");
}

function headersFor(issuer: string, gateway: string): Record<string, string> {
  return {
    // If a foreign script gets in, it can send the token only to the issuer and the gateway.
    "content-security-policy": `default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src ${issuer} ${gateway}; form-action 'none'; base-uri 'none'; frame-ancestors 'none'`,
    // The page's address contains the code for a moment.
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
  };
}
