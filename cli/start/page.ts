import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { packageRoot } from "../project/paths.ts";

export interface PageOptions {
  port: number;
  /** The issuer's origin. The page may talk only to the issuer and the gateway. */
  issuer: string;
}

export interface PageServer {
  url: string;
  /**
   * The gateway's origin. Undefined at first: the gateway's policy names the page's origin, so the page
   * starts first.
   */
  gateway: string | undefined;
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
  const server = createServer((request, response) => {
    const { gateway } = page;
    if (gateway === undefined) {
      response.writeHead(503, { "retry-after": "1" }).end();
      return;
    }
    const headers = headersFor(issuer, gateway);
    const config = `export const issuer = "${issuer}";\nexport const gateway = "${gateway}";\n`;
    const [path = ""] = (request.url ?? "").split("?");
    const name = path === "/" ? "index.html" : path.slice(1);
    const type = name === "config.js" ? types["page.js"] : types[name];
    if (request.method !== "GET") response.writeHead(405, { allow: "GET" }).end();
    else if (type === undefined) response.writeHead(404, headers).end();
    else {
      // The file is read for each request, so a reload shows a change of the example.
      const body =
        name === "config.js" ? config : readFileSync(join(packageRoot, "examples", "browser", name));
      response.writeHead(200, { ...headers, "content-type": type }).end(body);
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const page: PageServer = {
    url: `http://127.0.0.1:${port}`,
    gateway: undefined,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return page;
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
