import { issuer } from "./config.js";

/** OAuth 2.0 authorization code with PKCE (RFC 6749 §4.1, RFC 7636), for a page without a secret. */

const clientId = "tidegate-example";
const redirectUri = location.origin + location.pathname;
/** What must outlive the way to the issuer and back, and nothing else: the tab's storage has it until then. */
const pending = "tidegate-login";

/** Leaves for the issuer, which comes back with `?code=…&state=…`. */
export async function logIn() {
  const verifier = random();
  const state = random();
  sessionStorage.setItem(pending, JSON.stringify({ verifier, state }));
  const request = new URLSearchParams({
    response_type: "code",
    client_id: clientId,
    redirect_uri: redirectUri,
    state,
    code_challenge: await challengeOf(verifier),
    code_challenge_method: "S256",
  });
  location.assign(`${issuer}/authorize?${request}`);
}

/**
 * Exchanges the code in the address for a token, once.
 * @returns {Promise<string | undefined>} undefined when nobody comes back from the issuer
 * @throws {Error} when the issuer refuses, or the answer is not to this tab's question
 */
export async function finishLogin() {
  const answer = new URLSearchParams(location.search);
  if (!answer.has("code") && !answer.has("error")) return undefined;
  const { verifier, state } = JSON.parse(sessionStorage.getItem(pending) ?? "{}");
  sessionStorage.removeItem(pending);
  // The code leaves the address and the history.
  history.replaceState(null, "", location.pathname);
  if (state === undefined || answer.get("state") !== state) {
    throw new Error("This is the answer to another login.");
  }
  if (answer.has("error")) throw new Error(answer.get("error_description") ?? answer.get("error"));
  const response = await fetch(`${issuer}/token`, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      code: answer.get("code"),
      code_verifier: verifier,
      redirect_uri: redirectUri,
      client_id: clientId,
    }),
  });
  const body = await response.json();
  if (!response.ok) throw new Error(body.error_description ?? body.error);
  return body.access_token;
}

function random() {
  return base64url(crypto.getRandomValues(new Uint8Array(32)));
}

async function challengeOf(verifier) {
  return base64url(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier))));
}

function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}
