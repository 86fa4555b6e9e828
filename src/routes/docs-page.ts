import type { Docs } from "../config/config.ts";

/**
 * The documentation page, without its data: viewer/page.js logs in and asks for `/v1/openapi.json` with the
 * caller's token. No script and no style stands in the page itself, so its policy allows none.
 */
export function pageOf({ viewer, login }: Docs): string {
  const file = (name: string) => `/docs/${viewer}/${name}`;
  const settings = Object.entries({
    "data-issuer": login?.issuer,
    "data-client-id": login?.clientId,
    "data-scope": login?.scope,
  }).flatMap(([name, value]) => (value === undefined ? [] : [` ${name}="${escaped(value)}"`]));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>API documentation · Tidegate</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${file("swagger-ui.css")}">
<link rel="stylesheet" href="${file("page.css")}">
<script src="${file("swagger-ui-bundle.js")}" defer></script>
<script src="${file("page.js")}" type="module"></script>
</head>
<body${settings.join("")}>
<header id="known" hidden>
<p>These are the saved queries that your token may use. A request that you try here is a real one.</p>
<button id="logout" type="button">Forget the token</button>
</header>
<section id="problem" role="alert" hidden></section>
<section id="unknown" hidden>
<h1>The saved queries of this gateway</h1>
<p>Each is an endpoint. You see those that your token may use, with their parameters and rows, and you can try them.</p>
<button id="login" type="button" hidden>Log in</button>
<form id="paste">
<label for="token">Or paste an access token</label>
<input id="token" required autocomplete="off" autocapitalize="off" spellcheck="false">
<button type="submit">Use the token</button>
</form>
</section>
<main id="viewer"></main>
<noscript>This page needs JavaScript. The document itself is at /v1/openapi.json.</noscript>
</body>
</html>
`;
}

/**
 * The headers of the page and of its files. Scripts and styles come from the gateway's own files only; the page may
 * talk to the gateway and to the issuer only. Swagger UI's icons are `data:` images in its style sheet.
 */
export function headersOf({ login }: Docs): Record<string, string> {
  const issuer = login === undefined ? "" : ` ${new URL(login.issuer).origin}`;
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src data:",
    `connect-src 'self'${issuer}`,
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    "content-security-policy": policy.join("; "),
    // The page's address has the code of a login for a moment.
    "referrer-policy": "no-referrer",
  };
}

function escaped(text: string): string {
  const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? "");
}
