import type { Attempt, Family } from "./attempt.ts";
import { path, presenting } from "./attempt.ts";
import { tokenOf } from "./parties.ts";

/** Valid tokens in places and forms that the gateway does not read (RFC 6750 §2, RFC 9110 §11.1). */
export function transportFamilies(): Family[] {
  return [
    { family: "a good token in another place", attempts: elsewhere() },
    { family: "a good token after another scheme", attempts: schemes() },
    { family: "two headers", attempts: twice() },
  ];
}

function elsewhere(): Attempt[] {
  const token = tokenOf();
  const at = (name: string, changes: Partial<Attempt>): Attempt => ({
    name,
    headers: [],
    method: "GET",
    path,
    body: undefined,
    code: "token_missing",
    ...changes,
  });
  const inHeader = (header: string, value = `Bearer ${token}`) => at(header, { headers: [[header, value]] });
  const inBody = (type: string, body: string) =>
    at(`a body of ${type}`, { method: "POST", headers: [["content-type", type]], body });
  return [
    at("access_token in the query", { path: `${path}?access_token=${token}` }),
    at("token in the query", { path: `${path}?token=${token}` }),
    at("authorization in the query", { path: `${path}?authorization=Bearer%20${token}` }),
    inHeader("cookie", `access_token=${token}; authorization=Bearer ${token}; token=${token}`),
    inHeader("proxy-authorization"),
    inHeader("x-authorization"),
    inHeader("x-forwarded-authorization"),
    inHeader("x-access-token", token),
    inHeader("access-token", token),
    inHeader("token", token),
    inHeader("x-api-key", token),
    inHeader("cf-access-jwt-assertion", token),
    inHeader("x-http-authorization"),
    inHeader("sec-websocket-protocol", `bearer, ${token}`),
    inBody("application/x-www-form-urlencoded", `access_token=${token}`),
    inBody("application/json", JSON.stringify({ access_token: token, authorization: `Bearer ${token}` })),
  ];
}

function schemes(): Attempt[] {
  const token = tokenOf();
  const basic = Buffer.from(`bearer:${token}`).toString("base64");
  return [
    ...presenting("token_missing", {
      "the token alone": token,
      Basic: `Basic ${basic}`,
      "Basic with a token": `Basic ${token}`,
      Token: `Token ${token}`,
      JWT: `JWT ${token}`,
      Negotiate: `Negotiate ${token}`,
      "Bearer and a colon": `Bearer: ${token}`,
      "Bearer and no space": `Bearer${token}`,
      "Bearer and a tab": `Bearer\t${token}`,
      "Bearer and =": `Bearer=${token}`,
      "Bearer and a comma": `Bearer, ${token}`,
      "Bearer and a letter": `Bearers ${token}`,
      "something before Bearer": `x Bearer ${token}`,
      "Bearer in quotes": `"Bearer" ${token}`,
    }),
    ...presenting("token_malformed", {
      "Bearer alone": "Bearer",
      "Bearer twice": `Bearer Bearer ${token}`,
      "two tokens": `Bearer ${token} ${token}`,
      "a token and more": `Bearer ${token} x`,
      "two tokens and a comma": `Bearer ${token},${token}`,
      "as a parameter": `Bearer token=${token}`,
      "as a parameter in quotes": `Bearer token="${token}"`,
      "a realm before it": `Bearer realm="tidegate", ${token}`,
    }),
    // Without a proof, the scheme DPoP has no valid token either (RFC 9449 §7.1).
    ...presenting(undefined, { DPoP: `DPoP ${token}` }),
  ];
}

/** Sent as two lines; they arrive as one line, joined by a comma. */
function twice(): Attempt[] {
  const token = tokenOf();
  const lines = (code: string, name: string, ...values: string[]): Attempt => ({
    ...(presenting(code, { [name]: "" })[0] as Attempt),
    headers: values.map((value) => ["authorization", value]),
  });
  return [
    lines("token_malformed", "the same one", `Bearer ${token}`, `Bearer ${token}`),
    lines("token_malformed", "a good and a bad one", `Bearer ${token}`, "Bearer a.b.c"),
    lines("token_malformed", "a bad and a good one", "Bearer a.b.c", `Bearer ${token}`),
    lines("token_malformed", "a good one and Basic", `Bearer ${token}`, "Basic dXNlcjpwYXNz"),
    lines("token_missing", "Basic and a good one", "Basic dXNlcjpwYXNz", `Bearer ${token}`),
  ];
}
