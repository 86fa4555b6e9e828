import * as oauth from "./oauth4webapi.js";

/** OAuth 2.0 authorization code with PKCE (RFC 6749 §4.1, RFC 7636), for a page without a secret. */

const redirectUri = location.origin + location.pathname;
/** What must outlive the way to the issuer and back, and nothing else: the tab's storage has it until then. */
const pending = "tidegate-docs-login";

/**
 * Leaves for the issuer, which comes back with `?code=…&state=…`.
 * @param {{ issuer: string, clientId: string, scope?: string }} settings
 * @throws {Error} when the issuer cannot be asked, or names no way that this page may take
 */
export async function logIn({ issuer, clientId, scope }) {
  const server = await discover(issuer);
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const address = new URL(server.authorization_endpoint);
  const request = {
    response_type: "code",
    client_id: clientId,
    redirect_uri: redirectUri,
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    ...(scope && { scope }),
  };
  for (const [name, value] of Object.entries(request)) address.searchParams.set(name, value);
  sessionStorage.setItem(pending, JSON.stringify({ verifier, state }));
  location.assign(address);
}

/**
 * Exchanges the code in the address for a token, once.
 * @param {{ issuer?: string, clientId?: string }} settings
 * @returns {Promise<string | undefined>} undefined when the page was not opened by the issuer
 * @throws {Error} when the issuer refuses, or the answer is not to this tab's question
 */
export async function finishLogin({ issuer, clientId }) {
  const answer = new URL(location.href);
  if (!answer.searchParams.has("code") && !answer.searchParams.has("error")) return undefined;
  const { verifier, state } = JSON.parse(sessionStorage.getItem(pending) ?? "{}");
  sessionStorage.removeItem(pending);
  // The code leaves the address and the history.
  history.replaceState(null, "", location.pathname);
  if (state === undefined || answer.searchParams.get("state") !== state) {
    throw new Error("This is the answer to another login.");
  }
  const server = await discover(issuer);
  const client = { client_id: clientId };
  const code = oauth.validateAuthResponse(server, client, answer, state);
  const response = await oauth.authorizationCodeGrantRequest(
    ...[server, client, oauth.None(), code, redirectUri, verifier, optionsFor(issuer)],
  );
  const { access_token } = await oauth.processAuthorizationCodeResponse(server, client, response);
  return access_token;
}

/** The issuer's metadata (OpenID Connect Discovery 1.0 §4). */
async function discover(issuer) {
  const address = new URL(issuer);
  const response = await oauth.discoveryRequest(address, optionsFor(issuer));
  const server = await oauth.processDiscoveryResponse(address, response);
  if (originOf(server.token_endpoint) !== address.origin) {
    throw new Error(
      "The issuer's token endpoint is on another origin, where this page may not ask. Paste a token.",
    );
  }
  if (!/^https?:/.test(server.authorization_endpoint ?? ""))
    throw new Error("The issuer names no login page.");
  return server;
}

function originOf(address) {
  return URL.canParse(address) ? new URL(address).origin : undefined;
}

/** The gateway's configuration has an http issuer only on loopback, in development. */
function optionsFor(issuer) {
  return { [oauth.allowInsecureRequests]: new URL(issuer).protocol === "http:" };
}
