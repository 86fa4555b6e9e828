import { createHmac } from "node:crypto";
import { nowSeconds } from "../tokens/parties.ts";
import type { Members, Service } from "./service.ts";
import { lives, rotated } from "./service.ts";

/** Services that log people in: Auth0, Entra ID, Cognito, Keycloak. */

const usual = (jwk: Members, kid: string) => ({ ...jwk, kid, use: "sig", alg: "RS256" });

const auth0Issuer = "https://example.eu.auth0.com/";
const auth0Client = "K1AUPhZq8mRi0Q0pjhkfu1D7y6KjDQja";
const auth0Api = "https://gateway.example.com";
const auth0: Service = {
  title: "Auth0",
  algorithm: "RS256",
  contentType: "application/json; charset=utf-8",
  keySet: (jwk, kid) => ({ keys: [{ ...usual(jwk, kid), x5t: "OTQ", x5c: ["MIIDBzCCAe+gAwIBAgIJ"] }] }),
  tokens: [
    {
      header: { alg: "RS256", typ: "JWT" },
      claims: {
        "https://example.com/roles": ["viewer", "analyst"],
        iss: auth0Issuer,
        sub: "auth0|6553da60a54af58e29493993",
        aud: [auth0Api, "https://example.eu.auth0.com/userinfo"],
        ...lives(86_400),
        scope: "openid profile read:reports offline_access",
        azp: auth0Client,
        permissions: ["read:reports"],
      },
    },
  ],
  accepted: {
    "the RFC 9068 profile": {
      header: { alg: "RS256", typ: "at+jwt" },
      claims: {
        "https://example.com/roles": ["analyst"],
        iss: auth0Issuer,
        sub: "auth0|6553da60a54af58e29493993",
        aud: auth0Api,
        ...lives(86_400),
        scope: "read:reports",
        jti: "73WakrfVbNJBaAmhQtEeDv",
        client_id: auth0Client,
      },
    },
  },
  refused: [
    {
      name: "an ID token",
      code: "token_invalid",
      claims: {
        aud: auth0Client,
        nonce: "n",
        sid: "s",
        email: "a@example.com",
        scope: undefined,
        azp: undefined,
      },
    },
    {
      name: "a token for another API",
      code: "token_invalid",
      claims: { aud: ["https://gateway.example.com/v2"] },
    },
    {
      name: "a token for the userinfo endpoint alone",
      code: "token_invalid",
      claims: { aud: "https://example.eu.auth0.com/userinfo" },
    },
    { name: "another tenant's", code: "issuer_unknown", claims: { iss: "https://example.us.auth0.com/" } },
    {
      name: "a scope with a longer name",
      code: "access_denied",
      claims: { scope: "openid read:reports:all" },
    },
    {
      name: "a role without its namespace",
      code: "access_denied",
      claims: withoutRoles({ roles: ["analyst"] }),
    },
    {
      name: "a claim by the path of its namespace",
      code: "access_denied",
      claims: withoutRoles({ "https://example": { "com/roles": ["analyst"] } }),
    },
  ],
};

function withoutRoles(claims: Members): Members {
  return { "https://example.com/roles": undefined, ...claims };
}

const tenant = "11111111-2222-3333-4444-555555555555";
const entraIssuer = `https://login.microsoftonline.com/${tenant}/v2.0`;
const entraApi = "66666666-7777-8888-9999-000000000000";
const entraClaims = {
  aud: entraApi,
  iss: entraIssuer,
  ...lives(4_500),
  nbf: nowSeconds,
  aio: "ATQAy/8TAAAA",
  azp: "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
  azpacr: "0",
  oid: "00000000-0000-0000-66f3-3332eca7ea81",
  rh: "0.AQ8A",
  sub: "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ",
  tid: tenant,
  uti: "fqiBqXLPj0eQa82S-IYFAA",
  ver: "2.0",
};
const entra: Service = {
  title: "Microsoft Entra ID",
  algorithm: "RS256",
  contentType: "application/json; charset=utf-8",
  // The keys of Entra have no alg.
  keySet: (jwk, kid) => ({
    keys: [
      {
        ...jwk,
        use: "sig",
        kid,
        x5t: kid,
        x5c: ["MIIC/jCCAeagAwIBAgIJ"],
        cloud_instance_name: "microsoftonline.com",
        issuer: entraIssuer,
      },
    ],
  }),
  tokens: [
    {
      header: { typ: "JWT", alg: "RS256" },
      claims: {
        ...entraClaims,
        name: "Abe Lincoln",
        preferred_username: "abeli@example.com",
        scp: "Reports.Read access_as_user",
      },
    },
    {
      header: { typ: "JWT", alg: "RS256" },
      claims: { ...entraClaims, azpacr: "1", idtyp: "app", roles: ["Reports.Read.All"] },
    },
  ],
  refused: [
    {
      name: "an ID token of a registration that clients and gateway share",
      code: "token_invalid",
      claims: { azp: undefined, scp: undefined, nonce: "n", roles: ["Reports.Read.All"], idtyp: "app" },
    },
    { name: "a client that is not listed", code: "token_invalid", claims: { azp: entraApi } },
    {
      name: "a token of version 1.0",
      code: "issuer_unknown",
      claims: {
        iss: `https://sts.windows.net/${tenant}/`,
        ver: "1.0",
        azp: undefined,
        appid: entraClaims.azp,
      },
    },
    {
      name: "another tenant's",
      code: "issuer_unknown",
      claims: { iss: entraIssuer.replace("1111-2222", "1111-2223"), tid: tenant.replace("2222", "2223") },
    },
    {
      name: "the issuer of the tenants' common metadata",
      code: "issuer_unknown",
      claims: { iss: "https://login.microsoftonline.com/{tenantid}/v2.0" },
    },
    {
      name: "a token for Microsoft Graph",
      code: "token_invalid",
      header: { nonce: "n" },
      claims: { aud: "00000003-0000-0000-c000-000000000000" },
    },
    {
      name: "the role of an application in a person's token",
      code: "access_denied",
      claims: { scp: "access_as_user", roles: ["Reports.Read.All"] },
    },
  ],
};

const pool = "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_EXAMPLE12";
const appClient = "1example23456789";
const cognitoIdToken = {
  aud: appClient,
  client_id: undefined,
  token_use: "id",
  scope: undefined,
  "cognito:username": "jane",
  email: "jane@example.com",
};
const cognito: Service = {
  title: "Amazon Cognito",
  algorithm: "RS256",
  contentType: "application/json",
  keySet: rotated,
  tokens: [
    {
      // Its header has no typ.
      header: { alg: "RS256" },
      claims: {
        sub: "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee",
        device_key: "eu-central-1_aaaa",
        "cognito:groups": ["viewers", "analysts"],
        iss: pool,
        version: 2,
        client_id: appClient,
        origin_jti: "aaaaaaaa-bbbb-cccc-dddd-000000000000",
        event_id: "64f513be-32db-42b0-b78e-b02127b4f463",
        token_use: "access",
        scope: "openid gateway/read gateway/write",
        auth_time: nowSeconds,
        ...lives(3_600),
        jti: "aaaaaaaa-bbbb-cccc-dddd-111111111111",
        username: "jane",
      },
    },
  ],
  accepted: {},
  refused: [
    { name: "an ID token", code: "token_invalid", claims: cognitoIdToken },
    {
      name: "an ID token that calls itself an access token",
      code: "token_invalid",
      claims: { ...cognitoIdToken, token_use: "access" },
    },
    { name: "another app client's", code: "token_invalid", claims: { client_id: "9example87654321" } },
    {
      name: "bound to another resource",
      code: "token_invalid",
      claims: { aud: "https://other.example.com" },
    },
    {
      name: "another pool's",
      code: "issuer_unknown",
      claims: { iss: pool.replace("EXAMPLE12", "EXAMPLE13") },
    },
    {
      name: "the scope of another resource server",
      code: "access_denied",
      claims: { scope: "other/gateway/read" },
    },
    {
      name: "a group with a longer name",
      code: "access_denied",
      claims: { "cognito:groups": ["analysts-all"] },
    },
    { name: "groups in one text", code: "access_denied", claims: { "cognito:groups": "viewers analysts" } },
    {
      name: "groups by a path",
      code: "access_denied",
      claims: { "cognito:groups": undefined, cognito: { groups: ["analysts"] } },
    },
  ],
};
const [cognitoToken] = cognito.tokens as [Service["tokens"][number]];
cognito.accepted = {
  "bound to the gateway as a resource": {
    ...cognitoToken,
    claims: { ...cognitoToken.claims, aud: "https://gateway.example.com" },
  },
};

const realm = "https://keycloak.example.com/realms/example";
const keycloakClaims = {
  ...lives(300),
  auth_time: nowSeconds,
  jti: "onrtac:d58f5dc8-fd8f-462b-8a19-716f8f83985b",
  iss: realm,
  aud: ["tidegate", "account"],
  sub: "36fa0f91-f94d-4a0c-afed-6b7d952e47da",
  typ: "Bearer",
  azp: "web",
  sid: "2a88c258-f73a-4103-b862-e1fbd8f4e04e",
  acr: "1",
  "allowed-origins": ["https://app.example.com"],
  scope: "openid email profile",
  email_verified: true,
  preferred_username: "jane",
};
const account = { account: { roles: ["manage-account", "view-profile"] } };
const keycloak: Service = {
  title: "Keycloak",
  algorithm: "RS256",
  contentType: "application/json;charset=UTF-8",
  // A realm has a key for encryption too.
  keySet: (jwk, kid) => ({
    keys: [
      { ...jwk, kid: `${kid}-enc`, use: "enc", alg: "RSA-OAEP" },
      { ...usual(jwk, kid), "x5t#S256": "A" },
    ],
  }),
  tokens: [
    {
      header: { alg: "RS256", typ: "JWT" },
      claims: {
        ...keycloakClaims,
        realm_access: { roles: ["offline_access", "analyst", "default-roles-example"] },
        resource_access: account,
      },
    },
    {
      header: { alg: "RS256", typ: "JWT" },
      claims: {
        ...keycloakClaims,
        realm_access: { roles: ["default-roles-example"] },
        resource_access: { tidegate: { roles: ["operator"] }, ...account },
      },
    },
  ],
  refused: [
    { name: "an ID token", code: "token_invalid", claims: { typ: "ID", aud: "web", nonce: "n" } },
    {
      name: "an ID token with the audience",
      code: "access_denied",
      claims: { typ: "ID", aud: ["web", "tidegate"] },
    },
    {
      name: "a refresh token",
      code: "token_invalid",
      header: { alg: "HS512" },
      claims: { typ: "Refresh", aud: realm },
      sign: (input) => createHmac("sha512", "a key of the realm's own").update(input).digest(),
    },
    { name: "without the audience mapper", code: "token_invalid", claims: { aud: "account" } },
    { name: "without any audience", code: "token_invalid", claims: { aud: undefined } },
    { name: "another realm's", code: "issuer_unknown", claims: { iss: `${realm}2` } },
    {
      name: "the role in another client",
      code: "access_denied",
      claims: { realm_access: undefined, resource_access: { other: { roles: ["analyst", "operator"] } } },
    },
    {
      name: "a lightweight token",
      code: "access_denied",
      claims: { realm_access: undefined, resource_access: undefined },
    },
    {
      name: "signed with the key for encryption",
      code: "token_invalid",
      header: { kid: "key-of-Keycloak-enc" },
    },
  ],
};

export const logins = [auth0, entra, cognito, keycloak];
