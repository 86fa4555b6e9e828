import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { packageRoot } from "../project/paths.ts";

export interface PageOptions {
  port: number;
  /** The issuer's origin: with the gateway's all that the page may talk to. */
  issuer: string;
}

export interface PageServer {
  url: string;
  /** The gateway's origin, as soon as it has one: its policy names the page's, which is there first. */
  gateway: string | undefined;
  stop(): Promise<void>;
}

const types: Record<string, string> = {
  "index.html": "text/html; charset=utf-8",
  "page.js": "text/javascript; charset=utf-8",
  "login.js": "text/javascript; charset=utf-8",
  "style.css": "text/css; charset=utf-8",
};

/** Serves examples/browser on loopback, with a config.js that names what runs here. */
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
      // Read each time: a change of the example shows with a reload.
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
    // A script that gets in all the same finds nobody to send the token to.
    "content-security-policy": `default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src ${issuer} ${gateway}; form-action 'none'; base-uri 'none'; frame-ancestors 'none'`,
    // The address has the code for a moment.
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
  };
}
