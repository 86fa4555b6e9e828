import { createHmac } from "node:crypto";
import { nowSeconds } from "../tokens/parties.ts";
import type { Members, Service, Token } from "./service.ts";
import { lives, rotated } from "./service.ts";

/** Platforms whose tokens say who somebody is: Clerk, Firebase, Supabase, Cloudflare Access, Kubernetes; and Hasura's form. */

const rs256 = (jwk: Members, kid: string) => ({ ...jwk, kid, use: "sig", alg: "RS256" });
const one = (jwk: Members, kid: string) => ({ keys: [rs256(jwk, kid)] });
const header = { alg: "RS256", typ: "JWT" };

const clerk: Service = {
  title: "Clerk",
  algorithm: "RS256",
  contentType: "application/json",
  keySet: one,
  tokens: [
    {
      header: { alg: "RS256", cat: "cl_B7d4PD111AAA", typ: "JWT" },
      claims: {
        azp: "https://app.example.com",
        ...lives(60),
        fva: [7, -1],
        iss: "https://clerk.example.com",
        jti: "a1b2c3d4e5f6a7b8c9d0",
        nbf: nowSeconds - 10,
        o: { id: "org_2EXAMPLE", rol: "admin", slg: "example", per: "read,manage", fpm: "3" },
        pla: "o:pro",
        sid: "sess_2EXAMPLE",
        sts: "active",
        sub: "user_2EXAMPLE",
        v: 2,
      },
    },
  ],
  refused: [
    {
      name: "a page of another origin",
      code: "token_invalid",
      claims: { azp: "https://app.example.com.evil.example" },
    },
    { name: "a page without an origin", code: "token_invalid", claims: { azp: undefined } },
    {
      name: "a JWT template's",
      code: "token_invalid",
      claims: { aud: "https://app.example.com", sid: undefined, azp: undefined },
    },
    {
      name: "an ID token of Clerk as a login",
      code: "token_invalid",
      claims: { aud: "client", azp: "client", sid: undefined },
    },
    { name: "a session that lives too long", code: "token_invalid", claims: lives(301) },
    { name: "a pending session", code: "access_denied", claims: { sts: "pending" } },
    { name: "no organization", code: "access_denied", claims: { o: undefined } },
    {
      name: "version 1",
      code: "access_denied",
      claims: { v: undefined, o: undefined, org_id: "org_2EXAMPLE", org_role: "org:admin" },
    },
    {
      name: "a development instance's",
      code: "issuer_unknown",
      claims: { iss: "https://example.clerk.accounts.dev" },
    },
  ],
};

const project = "https://securetoken.google.com/example-project";
const firebase: Service = {
  title: "Firebase",
  algorithm: "RS256",
  contentType: "application/json; charset=UTF-8",
  keySet: rotated,
  tokens: [
    {
      header,
      claims: {
        name: "Jane",
        role: "analyst",
        iss: project,
        aud: "example-project",
        auth_time: nowSeconds,
        user_id: "vEPLVJz7T1PLH2Q",
        sub: "vEPLVJz7T1PLH2Q",
        ...lives(3_600),
        email: "jane@example.com",
        email_verified: true,
        firebase: { identities: { email: ["jane@example.com"] }, sign_in_provider: "password" },
      },
    },
  ],
  refused: [
    // All projects have the same keys.
    {
      name: "another project's",
      code: "issuer_unknown",
      claims: { iss: `${project}2`, aud: "example-project2" },
    },
    { name: "another project's audience", code: "token_invalid", claims: { aud: "other-project" } },
    {
      name: "a session cookie",
      code: "issuer_unknown",
      claims: { iss: "https://session.firebase.google.com/example-project" },
    },
    {
      name: "a custom token",
      code: "issuer_unknown",
      claims: {
        iss: "firebase-adminsdk@example-project.iam.gserviceaccount.com",
        aud: "https://identitytoolkit.googleapis.com/google.identity.identitytoolkit.v1.IdentityToolkit",
        uid: "vEPLVJz7T1PLH2Q",
      },
    },
    { name: "no time of the login", code: "token_invalid", claims: { auth_time: undefined } },
    { name: "no subject", code: "token_invalid", claims: { sub: undefined } },
    { name: "an address that is not verified", code: "access_denied", claims: { email_verified: false } },
    {
      name: "an anonymous login",
      code: "access_denied",
      claims: { firebase: { identities: {}, sign_in_provider: "anonymous" } },
    },
  ],
};

const ref = "https://abcdefghijklmnopqrst.supabase.co/auth/v1";
const supabase: Service = {
  title: "Supabase",
  algorithm: "ES256",
  contentType: "application/json; charset=utf-8",
  keySet: (jwk, kid) => ({
    keys: [{ ...jwk, kid, alg: "ES256", use: "sig", key_ops: ["verify"], ext: true }],
  }),
  tokens: [
    {
      header: { alg: "ES256", typ: "JWT" },
      claims: {
        iss: ref,
        sub: "123e4567-e89b-12d3-a456-426614174000",
        aud: "authenticated",
        ...lives(3_600),
        email: "jane@example.com",
        phone: "",
        app_metadata: { provider: "email", providers: ["email"], tenant: "north" },
        user_metadata: { name: "Jane" },
        role: "authenticated",
        aal: "aal2",
        amr: [{ method: "totp", timestamp: nowSeconds }],
        session_id: "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
        is_anonymous: false,
      },
    },
  ],
  refused: [
    {
      name: "the anon key",
      code: "issuer_unknown",
      header: { alg: "HS256" },
      claims: { iss: "supabase", ref: "abcdefghijklmnopqrst", role: "anon", aud: undefined, sub: undefined },
      sign: (input) => createHmac("sha256", "the project's legacy secret").update(input).digest(),
    },
    {
      name: "the legacy secret",
      code: "token_invalid",
      header: { alg: "HS256" },
      sign: (input) => createHmac("sha256", "the project's legacy secret").update(input).digest(),
    },
    {
      name: "a service role without a session",
      code: "token_invalid",
      claims: { role: "service_role", session_id: undefined },
    },
    { name: "an anonymous user", code: "access_denied", claims: { is_anonymous: true } },
    { name: "one factor", code: "access_denied", claims: { aal: "aal1" } },
    {
      name: "the tenant where users write it",
      code: "access_denied",
      claims: { app_metadata: { provider: "email" }, user_metadata: { tenant: "north" } },
    },
    { name: "another project's", code: "issuer_unknown", claims: { iss: ref.replace("abcd", "abce") } },
  ],
};

const team = "https://example.cloudflareaccess.com";
const tag = "32eafc7626e974616deaf0dc3ce63d7bcbed58a2731e84d06bc3cdf1b53c4228";
const access: Service = {
  title: "Cloudflare Access",
  algorithm: "RS256",
  contentType: "application/json",
  keySet: (jwk, kid) => ({
    ...rotated(jwk, kid),
    public_cert: { kid, cert: "-----BEGIN CERTIFICATE-----" },
    public_certs: [{ kid, cert: "-----BEGIN CERTIFICATE-----" }],
  }),
  tokens: [
    {
      header,
      claims: {
        aud: [tag],
        email: "jane@example.com",
        ...lives(86_400),
        nbf: nowSeconds,
        iss: team,
        type: "app",
        identity_nonce: "6ei69kawdKzMIAPF",
        sub: "7335d417-61da-459d-899c-0a01c76a2f94",
        custom: { department: "finance" },
        country: "NZ",
      },
    },
  ],
  refused: [
    {
      name: "the token of the organization",
      code: "token_invalid",
      claims: { type: "org", aud: [tag.replace("32", "33")] },
    },
    { name: "type org with the audience", code: "access_denied", claims: { type: "org" } },
    {
      name: "a service token",
      code: "access_denied",
      claims: {
        sub: "",
        common_name: "e367826f93b8d71185e03fe518aff3b4.access",
        email: undefined,
        custom: undefined,
      },
    },
    { name: "another application's", code: "token_invalid", claims: { aud: [tag.replace("4228", "4229")] } },
    { name: "the tag in capitals", code: "token_invalid", claims: { aud: [tag.toUpperCase()] } },
    { name: "another team's", code: "issuer_unknown", claims: { iss: team.replace("example", "examples") } },
    {
      name: "the claim outside of custom",
      code: "access_denied",
      claims: { custom: undefined, department: "finance" },
    },
  ],
};

const cluster = "https://oidc.cluster.example.com";
const podOf = (namespace: string, name: string): Members => ({
  sub: `system:serviceaccount:${namespace}:${name}`,
  "kubernetes.io": {
    namespace,
    node: { name: "node-1", uid: "646e7c5e-32d6-4d42-9dbd-e504e6cbe6b1" },
    pod: { name: "reports-0", uid: "5e0bd49b-f040-43b0-99b7-22765a53f7f3" },
    serviceaccount: { name, uid: "14ee3fa4-a7e2-420f-9f9a-dbc4507c3798" },
  },
});
const kubernetes: Service = {
  title: "Kubernetes",
  algorithm: "RS256",
  contentType: "application/jwk-set+json",
  keySet: one,
  // The API server answers 406 to a client that accepts JSON alone.
  answer(accept, set, response) {
    if (/application\/jwk-set\+json|\*\/\*/.test(accept)) response.end(set);
    else response.writeHead(406, { "content-type": "text/plain" }).end("406: Not Acceptable");
  },
  tokens: [
    {
      header: { alg: "RS256" },
      claims: {
        aud: ["tidegate"],
        ...lives(3_600),
        iss: cluster,
        jti: "aed34954-b33a-4142-b1ec-389d6bbb4936",
        nbf: nowSeconds,
        ...podOf("prod", "reports"),
      },
    },
  ],
  refused: [
    { name: "a token for the API server", code: "token_invalid", claims: { aud: [cluster] } },
    { name: "an old token of a Secret", code: "token_invalid", claims: { exp: undefined, aud: undefined } },
    { name: "a year's life", code: "token_invalid", claims: lives(31_536_000) },
    { name: "another namespace", code: "access_denied", claims: podOf("dev", "reports") },
    { name: "another service account", code: "access_denied", claims: podOf("prod", "report") },
    {
      name: "a namespace whose name begins like it",
      code: "access_denied",
      claims: podOf("prod2", "reports"),
    },
    {
      name: "a subject of another namespace",
      code: "access_denied",
      claims: { sub: "system:serviceaccount:dev:reports" },
    },
    {
      name: "names by a path",
      code: "access_denied",
      claims: { "kubernetes.io": undefined, kubernetes: { io: podOf("prod", "reports")["kubernetes.io"] } },
    },
    {
      name: "the names of old tokens",
      code: "access_denied",
      claims: {
        "kubernetes.io": undefined,
        "kubernetes.io/serviceaccount/namespace": "prod",
        "kubernetes.io/serviceaccount/service-account.name": "reports",
      },
    },
    {
      name: "another cluster's",
      code: "issuer_unknown",
      claims: { iss: "https://oidc.cluster2.example.com" },
    },
  ],
};

const hasuraClaim = "https://hasura.io/jwt/claims";
const roles = {
  "x-hasura-allowed-roles": ["viewer", "analyst"],
  "x-hasura-default-role": "viewer",
  "x-hasura-user-id": "42",
  "x-hasura-org-id": "7",
};
const hasuraToken: Token = {
  header,
  claims: {
    sub: "42",
    iss: "https://auth.example.com",
    aud: "tidegate",
    ...lives(900),
    [hasuraClaim]: JSON.stringify(roles),
  },
};
const hasuraText = (text: unknown) => ({ [hasuraClaim]: text });
const hasura: Service = {
  title: "Hasura's claims",
  algorithm: "RS256",
  contentType: "application/json",
  keySet: one,
  tokens: [hasuraToken],
  accepted: {
    "an object": { ...hasuraToken, claims: { ...hasuraToken.claims, ...hasuraText(roles) } },
  },
  refused: [
    { name: "no JSON", code: "token_invalid", claims: hasuraText("x-hasura-allowed-roles=analyst") },
    {
      name: "JSON that is cut",
      code: "token_invalid",
      claims: hasuraText(JSON.stringify(roles).slice(0, -1)),
    },
    { name: "an empty text", code: "token_invalid", claims: hasuraText("") },
    {
      name: "a member twice",
      code: "token_invalid",
      claims: hasuraText(JSON.stringify(roles).replace("{", '{"x-hasura-org-id":"8",')),
    },
    {
      name: "JSON of a text",
      code: "access_denied",
      claims: hasuraText(JSON.stringify(JSON.stringify(roles))),
    },
    { name: "JSON of null", code: "access_denied", claims: hasuraText("null") },
    {
      name: "a number in place of a text",
      code: "access_denied",
      claims: hasuraText(JSON.stringify({ ...roles, "x-hasura-org-id": 7 })),
    },
    {
      name: "another organization",
      code: "access_denied",
      claims: hasuraText(JSON.stringify({ ...roles, "x-hasura-org-id": "70" })),
    },
    {
      name: "roles in another claim",
      code: "access_denied",
      claims: { [hasuraClaim]: undefined, "https://hasura.io/jwt/claim": JSON.stringify(roles) },
    },
  ],
};

export const platforms = [clerk, firebase, supabase, access, kubernetes, hasura];
