import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { AuthorizationRequest, Codes, Redeemed, ReturnAddress } from "./oauth.ts";
import {
  createCodes,
  OAuthError,
  readAuthorizationRequest,
  readReturnAddress,
  redirection,
} from "./oauth.ts";

export interface LoginOptions {
  /** The issuer's address, such as "http://127.0.0.1:8788". */
  issuer: string;
  /** @returns the roles that a person may choose now */
  roles(): readonly string[];
  /** Signs an access token for a redeemed code. */
  mint(redeemed: Redeemed): Promise<string>;
  /** The lifetime of such a token, which the answer tells. */
  expiresSeconds: number;
}

/** Two routes and the metadata that name them, for `startKeyServer`. */
export interface Login {
  routes: Record<string, RequestListener>;
  metadata: Record<string, unknown>;
}

/** A form has a few hundred bytes. */
const bodyBytes = 16 * 1024;

/**
 * A login page for browsers: OAuth 2.0's authorization code flow with PKCE. It asks for no password, so use
 * it only on loopback, in development.
 */
export function developmentLogin(options: LoginOptions): Login {
  const codes = createCodes();
  return {
    routes: {
      "/authorize": served((request, response) => authorize(request, response, options, codes)),
      "/token": served((request, response) => token(request, response, options, codes)),
    },
    // RFC 8414 §2.
    metadata: {
      authorization_endpoint: `${options.issuer}/authorize`,
      token_endpoint: `${options.issuer}/token`,
      response_types_supported: ["code"],
      grant_types_supported: ["authorization_code"],
      code_challenge_methods_supported: ["S256"],
      token_endpoint_auth_methods_supported: ["none"],
    },
  };
}

/** An error, for example a client that closes in the middle of a body, ends only its own request. */
function served(handle: (...parameters: Parameters<RequestListener>) => Promise<void>): RequestListener {
  return (request, response) => void handle(request, response).catch(() => response.destroy());
}

/** GET shows the roles. The form posts the same request with the chosen role. */
async function authorize(
  request: IncomingMessage,
  response: ServerResponse,
  { roles }: LoginOptions,
  codes: Codes,
): Promise<void> {
  if (request.method !== "GET" && request.method !== "POST") return refuseMethod(response, "GET, POST");
  let address: ReturnAddress | undefined;
  try {
    const parameters =
      request.method === "GET"
        ? new URL(request.url ?? "", "http://issuer").searchParams
        : await readForm(request);
    address = readReturnAddress(parameters);
    const authorization = readAuthorizationRequest(parameters, address);
    const role = parameters.get("role");
    if (request.method === "POST" && role !== null && roles().includes(role)) {
      const code = codes.issue(authorization, role, Date.now());
      // 303: the browser follows with GET and does not send the form again.
      response.writeHead(303, { location: redirection(address, { code }), "cache-control": "no-store" });
      response.end();
    } else sendPage(response, 200, choicePage(authorization, roles()), address);
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error;
    if (address === undefined) return sendPage(response, 400, page("No login", escaped(error.message)));
    const answer = { error: error.code, error_description: error.message };
    response.writeHead(303, { location: redirection(address, answer), "cache-control": "no-store" }).end();
  }
}

/**
 * RFC 6749 §5.1, §5.2. Any page may read the answer: it needs the verifier to get a token, and no cookie is
 * used.
 */
async function token(
  request: IncomingMessage,
  response: ServerResponse,
  { mint, expiresSeconds }: LoginOptions,
  codes: Codes,
): Promise<void> {
  if (request.method !== "POST") return refuseMethod(response, "POST");
  const send = (status: number, body: unknown) => {
    const headers = { "content-type": "application/json", "cache-control": "no-store" };
    response.writeHead(status, { ...headers, "access-control-allow-origin": "*" });
    response.end(JSON.stringify(body));
  };
  try {
    const redeemed = codes.redeem(await readForm(request), Date.now());
    send(200, { access_token: await mint(redeemed), token_type: "Bearer", expires_in: expiresSeconds });
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error;
    send(400, { error: error.code, error_description: error.message });
  }
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  const [type = ""] = (request.headers["content-type"] ?? "").split(";");
  if (type.trim().toLowerCase() !== "application/x-www-form-urlencoded") {
    throw new OAuthError("invalid_request", "the body must be application/x-www-form-urlencoded");
  }
  let text = "";
  // A client that sends too much gets an answer, so the connection must stay open after the loop.
  for await (const chunk of request.setEncoding("utf8").iterator({ destroyOnReturn: false })) {
    text += chunk;
    if (text.length > bodyBytes) throw new OAuthError("invalid_request", "the body is too large");
  }
  return new URLSearchParams(text);
}

function refuseMethod(response: ServerResponse, allow: string): void {
  response.writeHead(405, { allow }).end();
}

function sendPage(response: ServerResponse, status: number, html: string, address?: ReturnAddress): void {
  // Chromium applies form-action to the redirect after a form too.
  const target = address === undefined ? "" : ` ${new URL(address.redirectUri).origin}`;
  response.writeHead(status, {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy": `default-src 'none'; img-src data:; form-action 'self'${target}; base-uri 'none'; frame-ancestors 'none'`,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
  });
  response.end(html);
}

function choicePage(request: AuthorizationRequest, roles: readonly string[]): string {
  const fields = {
    response_type: "code",
    client_id: request.clientId,
    redirect_uri: request.redirectUri,
    code_challenge: request.challenge,
    code_challenge_method: "S256",
    ...(request.state === undefined ? {} : { state: request.state }),
  };
  const hidden = Object.entries(fields).map(
    ([name, value]) => `<input type="hidden" name="${name}" value="${escaped(value)}">`,
  );
  const buttons = roles.map(
    (role) => `<button name="role" value="${escaped(role)}">${escaped(role)}</button>`,
  );
  return page(
    "Who do you want to be?",
    `<b>${escaped(request.clientId)}</b> at ${escaped(new URL(request.redirectUri).origin)} asks for a token.
This is Tidegate's development issuer: it asks for no password and answers pages of this machine only.`,
    `<form method="post" action="/authorize">${hidden.join("")}${buttons.join(" ")}</form>`,
  );
}

/** `text` and `rest` are HTML. */
function page(title: string, text: string, rest = ""): string {
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>${title}</title><link rel="icon" href="data:,">
<h1>${title}</h1>
<p>${text}</p>
${rest}</html>
`;
}

function escaped(text: string): string {
  const entities: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? "");
}
