import { describe, expect, test } from "vitest";
import { ConfigError, parsePolicy, secretNames } from "../../../src/config/policy.ts";
import { limits } from "../../../src/limits.ts";
import { change, good, mistakesOf } from "./example.ts";

const queries = ["orders", "add-note"].map((name) => ({ name, tags: [] }));

/** @returns the mistakes of the valid policy with some parts replaced. */
function mistakes(parts: Record<string, unknown>, environment = "production"): readonly string[] {
  return mistakesOf(() => parsePolicy(change(good(), parts), environment, queries));
}

const rustls = { "cluster.link": "rustls", "cluster.trust": "bundle", "cluster.ca": "ca/cluster.pem" };
const trust = `cluster.trust: must be "public" (the platform's public CAs), "runtime" (the CAs that the runtime is started with) or, with link = "rustls", "bundle" (the CAs of the file that ca names)`;

const publicKey = { kty: "EC", crv: "P-256", x: "AA", y: "AA" };

describe("a valid policy", () => {
  test("is accepted, and gets the defaults", () => {
    expect(parsePolicy(good(), "production", queries)).toEqual({
      cluster: {
        engine: "mysql",
        hosts: [{ hostname: "db.example.com", port: 3306 }],
        database: "shop",
        link: "platform",
        trust: "public",
        connect_timeout_ms: limits.connectTimeoutMs,
      },
      accounts: {
        reader: {
          user: "gw_reader",
          password: "READER_PASSWORD",
          cleartext: false,
          time_zone: "+00:00",
          lifetime_s: limits.connectionLifetimeSeconds,
          idle_s: limits.connectionIdleSeconds,
          queue_length: limits.queueLength,
          queue_wait_ms: limits.queueWaitMs,
          restore: "when_needed",
          deadline_ms: limits.statementDeadlineMs,
          max_bytes: limits.answerBytes,
          shards: 1,
          connections_per_shard: limits.connectionsPerShard,
        },
      },
      issuers: [
        {
          issuer: "https://id.example.com/",
          audience: ["tidegate"],
          audience_claim: "aud",
          algorithms: ["ES256"],
          jwks_uri: "https://id.example.com/jwks.json",
          required_claims: [],
          authorized_parties: [],
          dpop: "off",
          json_claims: [],
          max_token_bytes: 8192,
        },
      ],
      grants: [
        {
          issuer: "https://id.example.com/",
          claims: { role: "analyst" },
          max_transactions: limits.transactionsPerCaller,
          account: "reader",
          allow: ["query:*", "sql:read"],
        },
      ],
    });
  });

  const reader = { user: "gw_reader", password: "READER_PASSWORD" };
  const accepted: [string, Record<string, unknown>][] = [
    ["MariaDB", { "cluster.engine": "mariadb" }],
    ["TiDB", { "cluster.engine": "tidb" }],
    ["a method to begin with", { "accounts.reader.plugin": "sha256_password" }],
    [
      "a method that sends the password",
      { "accounts.reader": { ...reader, plugin: "mysql_clear_password", cleartext: true } },
    ],
    ["ed25519 on MariaDB", { "cluster.engine": "mariadb", "accounts.reader.plugin": "client_ed25519" }],
    ["a token on TiDB", { "cluster.engine": "tidb", "accounts.reader": { user: "u", token: { key: "K" } } }],
    ["the shortest lifetime", { "accounts.reader.lifetime_s": 10 }],
    ["the longest lifetime", { "accounts.reader.lifetime_s": 840 }],
    ["the shortest idle time", { "accounts.reader.idle_s": 1 }],
    ["the longest idle time", { "accounts.reader.idle_s": 840 }],
    ["the shortest queue", { "accounts.reader.queue_length": 1 }],
    ["the longest queue", { "accounts.reader.queue_length": 2000 }],
    ["the shortest wait", { "accounts.reader.queue_wait_ms": 1 }],
    ["the longest wait", { "accounts.reader.queue_wait_ms": 60_000 }],
    ["a restore after each statement", { "accounts.reader.restore": "always" }],
    ["the shortest deadline", { "accounts.reader.deadline_ms": 100, "grants[0].deadline_ms": 100 }],
    ["the longest deadline", { "accounts.reader.deadline_ms": 60_000, "grants[0].deadline_ms": 60_000 }],
    ["the smallest answer", { "accounts.reader.max_bytes": 1, "grants[0].max_bytes": 1 }],
    ["the largest answer", { "accounts.reader.max_bytes": 2 ** 32, "grants[0].max_bytes": 2 ** 32 }],
    ["most shards", { "accounts.reader.shards": 64 }],
    ["the shortest connect", { "cluster.connect_timeout_ms": 100 }],
    ["the longest connect", { "cluster.connect_timeout_ms": 30_000 }],
    ["as many hosts as can be", { "cluster.hosts": ["a:1", "b:1", "a:2", "c:1"] }],
    ["an IPv4 host", { "cluster.hosts": ["192.0.2.1:4000"] }],
    ["an IPv6 host", { "cluster.hosts": ["[2001:db8::1]:3306"] }],
    ["the highest port", { "cluster.hosts": ["db:65535"] }],
    ["a location", { "cluster.location": "apac" }],
    ["the runtime's own trust", { "cluster.trust": "runtime" }],
    ["the shortest timeout", { "cluster.connect_timeout_ms": 100 }],
    ["the longest timeout", { "cluster.connect_timeout_ms": 30_000 }],
    ["a proxied account", { "accounts.reader.acts_as": "reader@%" }],
    ["a role", { "accounts.reader.role": "analyst" }],
    ["a role with its host", { "accounts.reader.role": "analyst@localhost" }],
    ["a private CA", rustls],
    ["one version of TLS", { ...rustls, "cluster.tls_min": "TLSv1.3", "cluster.tls_max": "TLSv1.3" }],
    ["another name in the certificate", { ...rustls, "cluster.tls_server_name": "db.example.com" }],
    ["an IPv6 address in the certificate", { ...rustls, "cluster.tls_server_name": "2001:db8::1" }],
    ["many shards", { "accounts.reader.shards": 64 }],
    ["one connection", { "accounts.reader.connections_per_shard": 1 }],
    ["a grant for everybody of an issuer", { "grants[0].claims": undefined }],
    ["claims of every kind", { "grants[0].claims": { a: "x", b: 1, c: true, d: 0.5, e: 2 ** 53 - 1 } }],
    ["scopes", { "grants[0].scopes": ["sql:read", "https://gw.example.com/.default"] }],
    ["several audiences", { "issuers[0].audience": Array.from({ length: 16 }, (_, i) => `a${i}`) }],
    ["an audience in another claim", { "issuers[0].audience_claim": "https://app/for" }],
    ["claims whose text is JSON", { "issuers[0].json_claims": ["https://hasura.io/jwt/claims"] }],
    ["short tokens", { "issuers[0].max_token_bytes": 1024 }],
    ["long tokens", { "issuers[0].max_token_bytes": 65536 }],
    ["no grants", { grants: [] }],
    ["a grant for one saved query", { "grants[0].allow": ["query:orders"] }],
    [
      "every permission",
      {
        "grants[0].allow": [
          "query:*",
          "sql:read",
          "sql:write",
          "sql:ddl",
          "sql:server",
          "transaction",
          "operate",
          "metrics",
        ],
      },
    ],
    ["a static key set", { "issuers[0].jwks_uri": undefined, "issuers[0].jwks": { keys: [publicKey] } }],
    [
      "a key of the future beside another",
      { "issuers[0].jwks_uri": undefined, "issuers[0].jwks": { keys: [{ kty: "PQC" }, publicKey] } },
    ],
    [
      "keys for other algorithms beside one that is used",
      {
        "issuers[0].jwks_uri": undefined,
        "issuers[0].jwks": { keys: [publicKey, { ...publicKey, crv: "P-384" }] },
      },
    ],
    ["discovery", { "issuers[0].jwks_uri": undefined, "issuers[0].discovery": true }],
    ["a typ", { "issuers[0].typ": "at+jwt" }],
    ["a longest life", { "issuers[0].max_lifetime_s": 1 }],
    ["required claims", { "issuers[0].required_claims": ["jti", "sub"] }],
    ["authorized parties", { "issuers[0].authorized_parties": ["web"] }],
    [
      "a shared secret",
      {
        "issuers[0].jwks_uri": undefined,
        "issuers[0].secret": "JWT_SECRET",
        "issuers[0].algorithms": ["HS256"],
      },
    ],
  ];
  test.each(accepted)("may have %s", (_, parts) => {
    expect(mistakes(parts)).toEqual([]);
  });

  test.each([
    ["db.example.com:3306", { hostname: "db.example.com", port: 3306 }],
    ["[::1]:1", { hostname: "::1", port: 1 }],
    ["db_1:4000", { hostname: "db_1", port: 4000 }],
  ])("host %s", (text, host) => {
    const policy = parsePolicy(change(good(), { "cluster.hosts": [text] }), "production", queries);
    expect(policy.cluster.hosts).toEqual([host]);
  });
});

describe("the mistake is named", () => {
  const host = `cluster.hosts[0]: must be "host:port", for example "db.example.com:3306"`;
  const permission =
    "grants[0].allow[0]: must be query:NAME, query:#TAG, query:*, sql:read, sql:write, sql:ddl, sql:server, transaction, operate or metrics";
  const hs256 =
    "issuers[0].algorithms: HS256 goes with secret, alone; every other algorithm with jwks_uri, discovery or jwks";
  const oneSource = "issuers[0]: needs exactly one of jwks_uri, discovery, jwks and secret";
  const discovery =
    "issuers[0].issuer: must be an https URL for discovery (http only for loopback in development)";
  /** A key set with one key. */
  const jwks = (key: Record<string, unknown>) => ({
    "issuers[0].jwks_uri": undefined,
    "issuers[0].jwks": { keys: [key] },
  });
  /** An issuer with another name and discovery. Its grants are left out. */
  const discovered = (issuer: string) => ({
    "issuers[0].jwks_uri": undefined,
    "issuers[0].issuer": issuer,
    "issuers[0].discovery": true,
    grants: [],
  });
  const secretName = "must be the NAME of a secret, in capitals";
  const keyUrl = "issuers[0].jwks_uri: must be https (http only for a loopback address in development)";

  const clear = "mysql_clear_password";
  const exact: [string, Record<string, unknown>, string][] = [
    [
      "neither password nor token",
      { "accounts.reader.password": undefined },
      "accounts.reader: needs password or token, not both",
    ],
    [
      "password and token",
      { "cluster.engine": "tidb", "accounts.reader.token": { key: "K" } },
      "accounts.reader: needs password or token, not both",
    ],
    [
      "a token on MySQL",
      { "accounts.reader": { user: "u", token: { key: "K" } } },
      "accounts.reader.token: only TiDB takes tokens (tidb_auth_token); use password",
    ],
    [
      "a token with a plugin",
      {
        "cluster.engine": "tidb",
        "accounts.reader": { user: "u", token: { key: "K" }, plugin: "sha256_password" },
      },
      "accounts.reader.token: goes without plugin and cleartext; it is sent as it is, inside TLS",
    ],
    ...[true, "caller", "CALLER_TOKEN", ["K"]].map((token): [string, Record<string, unknown>, string] => [
      `a caller's own token, as ${JSON.stringify(token)}`,
      { "cluster.engine": "tidb", "accounts.reader": { user: "u", token } },
      `accounts.reader.token: must be a table, { key = "NAME" }: the gateway makes the token of a login; it does not pass on a caller's own, since callers share connections (docs/guides/accounts.md)`,
    ]),
    [
      "a token's plugin",
      { "cluster.engine": "tidb", "accounts.reader.plugin": "tidb_auth_token" },
      `accounts.reader.plugin: tidb_auth_token goes without plugin: give the account token = { key = "NAME" } instead of password`,
    ],
    [
      "TiDB's SM3",
      { "cluster.engine": "tidb", "accounts.reader.plugin": "tidb_sm3_password" },
      "accounts.reader.plugin: tidb_sm3_password is not supported: let the user log in with caching_sha2_password, mysql_native_password or tidb_auth_token",
    ],
    [
      "clear text that is not allowed",
      { "accounts.reader.plugin": clear },
      `accounts.reader.plugin: ${clear} sends the password as it is; allow that with cleartext = true`,
    ],
    [
      "ed25519 on MySQL",
      { "accounts.reader.plugin": "client_ed25519" },
      "accounts.reader.plugin: only MariaDB has client_ed25519",
    ],
    ["a host without a port", { "cluster.hosts": ["db.example.com"] }, host],
    ["a port that is zero", { "cluster.hosts": ["db:0"] }, host],
    ["a port that is too high", { "cluster.hosts": ["db:65536"] }, host],
    ["a port that is a name", { "cluster.hosts": ["db:mysql"] }, host],
    ["a host with a scheme", { "cluster.hosts": ["mysql://db:3306"] }, host],
    ["a host with a user", { "cluster.hosts": ["root@db:3306"] }, host],
    ["a host with a path", { "cluster.hosts": ["db:3306/shop"] }, host],
    ["a host with spaces", { "cluster.hosts": [" db:3306"] }, host],
    ["IPv6 without brackets", { "cluster.hosts": ["::1:3306"] }, host],
    ["an empty host", { "cluster.hosts": [":3306"] }, host],
    [
      "a login that would have to act as two",
      {
        "accounts.reader.acts_as": "reader@%",
        "accounts.writer": { user: "gw_reader", password: "WRITER_PASSWORD", acts_as: "writer@%" },
      },
      `accounts: the login "gw_reader" cannot act as several: a server maps a login to one identity`,
    ],
    [
      "a secret named like a binding",
      { "accounts.reader.password": "ENVIRONMENT" },
      "accounts.reader.password: is a binding of another kind",
    ],
    [
      "an origin with a path",
      { cors: { origins: ["https://app.example.com/"] } },
      `cors.origins[0]: must be an origin such as "https://app.example.com", without a path; * is not accepted`,
    ],
    [
      "every origin",
      { cors: { origins: ["*"] } },
      `cors.origins[0]: must be an origin such as "https://app.example.com", without a path; * is not accepted`,
    ],
    [
      "fewer statements at once than shards",
      { "accounts.reader.shards": 4, "grants[0].max_concurrent": 3 },
      "grants[0].max_concurrent: is divided among the account's 4 shards and must be at least that",
    ],
    [
      "transactions on an account's only connection",
      { "accounts.reader.connections_per_shard": 1, "grants[0].allow": ["sql:read", "transaction"] },
      "grants[0].allow: transaction needs accounts.reader.connections_per_shard of 2 or more: one stays free for statements",
    ],
    [
      "a host that stands there twice",
      { "cluster.hosts": ["a:1", "b:1", "A:1"] },
      `cluster.hosts: "a:1" stands there twice`,
    ],
    [
      "an unknown link",
      { "cluster.link": "tunnel" },
      `cluster.link: must be "platform", "rustls" or "hyperdrive"`,
    ],
    [
      "a bundled CA with the platform link",
      { "cluster.trust": "bundle" },
      `cluster.trust: the platform link takes no CAs of a file; use link = "rustls", or trust = "public" or "runtime"`,
    ],
    ["a word for trust that is none", { "cluster.trust": "all" }, trust],
    ...(
      [
        ["ca", "ca/x.pem"],
        ["tls_min", "TLSv1.3"],
        ["tls_max", "TLSv1.2"],
        ["tls_server_name", "db"],
      ] as const
    ).map(([key, value]): [string, Record<string, unknown>, string] => [
      `${key} with the platform link`,
      { [`cluster.${key}`]: value },
      `cluster.${key}: the platform link cannot honour it; use link = "rustls"`,
    ]),
    ...["public", "runtime"].map((word): [string, Record<string, unknown>, string] => [
      `${word} CAs with the link rustls`,
      { ...rustls, "cluster.trust": word },
      `cluster.trust: the link rustls has no CAs but those of a file; use trust = "bundle" with ca, or link = "platform"`,
    ]),
    [
      "no CA file with the link rustls",
      { ...rustls, "cluster.ca": undefined },
      `cluster.ca: the link rustls needs it: ca = "ca/NAME.pem"`,
    ],
    [
      "versions that leave none",
      { ...rustls, "cluster.tls_min": "TLSv1.3", "cluster.tls_max": "TLSv1.2" },
      "cluster.tls_min: is above tls_max, so no version is left",
    ],
    ...["/etc/ssl/ca.pem", "ca/../../key.pem", "ca/x.crt", "x.pem", "ca/.pem"].map(
      (file): [string, Record<string, unknown>, string] => [
        `the CA file ${file}`,
        { ...rustls, "cluster.ca": file },
        `cluster.ca: must be "ca/NAME.pem", a file of the project`,
      ],
    ),
    ...["db.example.com:3306", "db example", "", "[::1]"].map(
      (text): [string, Record<string, unknown>, string] => [
        `the server's name "${text}"`,
        { ...rustls, "cluster.tls_server_name": text },
        "cluster.tls_server_name: must be a DNS name or an IP address, without a port",
      ],
    ),
    [
      "a password for its secret's name",
      { "accounts.reader.password": "hunter2" },
      `accounts.reader.password: ${secretName}`,
    ],
    [
      "an acts_as without a host",
      { "accounts.reader.acts_as": "reader" },
      `accounts.reader.acts_as: must be "user@host", as CURRENT_USER() prints it`,
    ],
    ["a role with a quote", { "accounts.reader.role": "a`b" }, "accounts.reader.role: must be a role's name"],
    ["two roles", { "accounts.reader.role": "a, b" }, "accounts.reader.role: must be a role's name"],
    ["no key source", { "issuers[0].jwks_uri": undefined }, oneSource],
    ["two key sources", { "issuers[0].jwks": { keys: [publicKey] } }, oneSource],
    ["HS256 with jwks_uri", { "issuers[0].algorithms": ["HS256"] }, hs256],
    ["HS256 beside another", { "issuers[0].algorithms": ["ES256", "HS256"] }, hs256],
    [
      "the encoding of no secret",
      { "issuers[0].secret_encoding": "base64" },
      "issuers[0].secret_encoding: goes with secret alone; remove it",
    ],
    [
      "a secret without HS256",
      { "issuers[0].jwks_uri": undefined, "issuers[0].secret": "JWT_SECRET" },
      hs256,
    ],
    [
      "a secret with HS256 and another",
      {
        "issuers[0].jwks_uri": undefined,
        "issuers[0].secret": "JWT_SECRET",
        "issuers[0].algorithms": ["HS256", "RS256"],
      },
      hs256,
    ],
    ["a private key", jwks({ kty: "EC", d: "AA" }), "issuers[0].jwks.keys[0]: is a private or symmetric key"],
    [
      "a symmetric key",
      jwks({ kty: "oct", k: "AA" }),
      "issuers[0].jwks.keys[0]: is a private or symmetric key",
    ],
    [
      "a key for encryption",
      jwks({ kty: "EC", use: "enc" }),
      "issuers[0].jwks.keys[0]: is not for signatures (use)",
    ],
    [
      "a short RSA key",
      jwks({ kty: "RSA", n: "AA", e: "AQAB" }),
      "issuers[0].jwks.keys[0]: is an RSA key under 2048 bits",
    ],
    [
      "no key but one of the future",
      jwks({ kty: "PQC" }),
      "issuers[0].jwks.keys[0]: is neither RSA nor EC nor OKP",
    ],
    [
      "no key for the algorithms",
      jwks({ ...publicKey, crv: "P-384", kid: "1" }),
      "issuers[0].jwks: none of its keys is for ES256; they are for EC P-384: correct algorithms",
    ],
    [
      "a key of Ed25519 that anybody could sign for",
      jwks({ kty: "OKP", crv: "Ed25519", x: "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" }),
      "issuers[0].jwks.keys[0]: is an Ed25519 key that anybody could sign for (x)",
    ],
    ["discovery beside jwks_uri", { "issuers[0].discovery": true }, oneSource],
    [
      "discovery beside a secret",
      { ...discovered("https://id/"), "issuers[0].secret": "S", "issuers[0].algorithms": ["HS256"] },
      oneSource,
    ],
    ["discovery of an issuer that is no URL", discovered("batch"), discovery],
    ["discovery over http", discovered("http://id.example.com/"), discovery],
    ["discovery over http from a loopback address", discovered("http://127.0.0.1/"), discovery],
    [
      "a secret named like the keys' binding",
      { "accounts.reader.password": "KEYS" },
      "accounts.reader.password: is a binding of another kind",
    ],
    ["keys over http", { "issuers[0].jwks_uri": "http://id.example.com/jwks.json" }, keyUrl],
    ["keys over http from a loopback address", { "issuers[0].jwks_uri": "http://127.0.0.1/jwks" }, keyUrl],
    ["keys from a file", { "issuers[0].jwks_uri": "file:///etc/jwks.json" }, keyUrl],
    [
      "the same issuer twice",
      { issuers: [good().issuers[0], good().issuers[0]] },
      `issuers: "https://id.example.com/" stands there twice`,
    ],
    ["an unknown permission", { "grants[0].allow": ["sql:*"] }, permission],
    ["a permission that is almost one", { "grants[0].allow": ["transactions"] }, permission],
    ["a permission that is less than one", { "grants[0].allow": ["operat"] }, permission],
    ["a permission in capitals", { "grants[0].allow": ["SQL:READ"] }, permission],
    ["a pattern of queries", { "grants[0].allow": ["query:order*"] }, permission],
    [
      "a saved query that does not exist",
      { "grants[0].allow": ["query:order", "query:orders"] },
      `grants[0].allow: there is no saved query "order"`,
    ],
    [
      "an issuer that does not exist",
      { "grants[0].issuer": "https://id.example.com" },
      `grants[0].issuer: no issuer "https://id.example.com" is configured`,
    ],
    [
      "an account that does not exist",
      { "grants[0].account": "writer" },
      `grants[0].account: there is no account "writer"`,
    ],
    [
      "an account that every object has",
      { "grants[0].account": "constructor" },
      `grants[0].account: there is no account "constructor"`,
    ],
    [
      "acts_as on TiDB",
      { "cluster.engine": "tidb", "accounts.reader.acts_as": "reader@%" },
      "accounts.reader.acts_as: TiDB has no proxy users (error 8108); use a plain login or role instead",
    ],
  ];
  test.each([
    ...["mysql", "MySQL", "INFORMATION_SCHEMA", "performance_schema", "sys", "metrics_schema"],
    // What servers take for one of them, and a directory's name.
    ...["\u0130nformation_schema", "My\u017fql", "#mysql50#mysql"],
  ])("the server's own schema as the database: %s", (database) => {
    const found = mistakes({ "cluster.database": database });
    expect(found).toEqual([
      expect.stringMatching(/^cluster\.database: "[a-z_]+" is the server's own schema; name the database/),
    ]);
  });

  test.each(["mysql_shop", "system", "sys2", "information", "#mysql50#shop"])(
    "but not a database that is called %s",
    (database) => {
      expect(mistakes({ "cluster.database": database })).toEqual([]);
    },
  );

  test.each(exact)("%s", (_, parts, mistake) => {
    expect(mistakes(parts)).toEqual([mistake]);
  });

  /** The schema library makes the message. These tests only check that it names the place. */
  type Wrong = [string, Record<string, unknown>, RegExp];
  const places: Wrong[] = [
    ["an unknown engine", { "cluster.engine": "postgres" }, /^cluster\.engine: .*mysql/],
    ["no engine", { "cluster.engine": undefined }, /^cluster\.engine: /],
    ["no host", { "cluster.hosts": [] }, /^cluster\.hosts: /],
    ["hosts as text", { "cluster.hosts": "db:3306" }, /^cluster\.hosts: /],
    ["no database", { "cluster.database": undefined }, /^cluster\.database: /],
    ["an empty database", { "cluster.database": "" }, /^cluster\.database: /],
    ["a database with a long name", { "cluster.database": "d".repeat(65) }, /^cluster\.database: /],
    ["an unknown location", { "cluster.location": "frankfurt" }, /^cluster\.location: /],
    ["too short a timeout", { "cluster.connect_timeout_ms": 99 }, /^cluster\.connect_timeout_ms: /],
    ["too long a timeout", { "cluster.connect_timeout_ms": 30_001 }, /^cluster\.connect_timeout_ms: /],
    ["a timeout as text", { "cluster.connect_timeout_ms": "10s" }, /^cluster\.connect_timeout_ms: /],
    ["a timeout in fractions", { "cluster.connect_timeout_ms": 100.5 }, /^cluster\.connect_timeout_ms: /],
    ["no user", { "accounts.reader.user": undefined }, /^accounts\.reader\.user: /],
    ["an empty user", { "accounts.reader.user": "" }, /^accounts\.reader\.user: /],
    ["a long user name", { "accounts.reader.user": "u".repeat(33) }, /^accounts\.reader\.user: /],
    ["an unknown method", { "accounts.reader.plugin": "parsec" }, /^accounts\.reader\.plugin: /],
    ["too short a lifetime", { "accounts.reader.lifetime_s": 9 }, /^accounts\.reader\.lifetime_s: /],
    ...outside("accounts.reader.connections_per_caller", 0, limits.connectionsPerShard + 1),
    ...outside("accounts.reader.idle_s", 0, 841),
    ...outside("accounts.reader.queue_length", 0, 2001),
    ...outside("accounts.reader.queue_wait_ms", 0, 60_001),
    ...outside("accounts.reader.deadline_ms", 99, 60_001),
    ...outside("accounts.reader.max_bytes", 0, 2 ** 32 + 1),
    ["too large an answer of a grant", { "grants[0].max_bytes": 2 ** 32 + 1 }, /^grants\[0\]\.max_bytes: /],
    ["too many hosts", { "cluster.hosts": ["a:1", "b:1", "c:1", "d:1", "e:1"] }, /^cluster\.hosts: /],
    ["too long a lifetime", { "accounts.reader.lifetime_s": 841 }, /^accounts\.reader\.lifetime_s: /],
    ["no shards", { "accounts.reader.shards": 0 }, /^accounts\.reader\.shards: /],
    ["too many shards", { "accounts.reader.shards": 65 }, /^accounts\.reader\.shards: /],
    [
      "more connections than an object may hold",
      { "accounts.reader.connections_per_shard": limits.connectionsPerShard + 1 },
      /^accounts\.reader\.connections_per_shard: /,
    ],
    [
      "no connections",
      { "accounts.reader.connections_per_shard": 0 },
      /^accounts\.reader\.connections_per_shard: /,
    ],
    ["no issuers", { issuers: [], grants: [] }, /^issuers: /],
    ["an empty audience", { "issuers[0].audience": "" }, /^issuers\[0\]\.audience: /],
    ["no audience in a list", { "issuers[0].audience": [] }, /^issuers\[0\]\.audience: /],
    ["an empty audience in a list", { "issuers[0].audience": ["a", ""] }, /^issuers\[0\]\.audience\[1\]: /],
    ["a list in a list of audiences", { "issuers[0].audience": [["a"]] }, /^issuers\[0\]\.audience: /],
    ["seventeen audiences", { "issuers[0].audience": Array(17).fill("a") }, /^issuers\[0\]\.audience: /],
    ...["iss", "exp", "nbf", "iat", "sub", "jti", "", ["aud"]].map(
      (claim): Wrong => [
        `the claim ${claim} for the audience`,
        { "issuers[0].audience_claim": claim },
        /^issuers\[0\]\.audience_claim: /,
      ],
    ),
    ...["sub", "exp", "aud", "cnf", "scope", "client_id", "", 7].map(
      (claim): Wrong => [
        `JSON in the claim ${claim}`,
        { "issuers[0].json_claims": [claim] },
        /^issuers\[0\]\.json_claims\[0\]: /,
      ],
    ),
    ["a JSON claim as text", { "issuers[0].json_claims": "a" }, /^issuers\[0\]\.json_claims: /],
    ...[1023, 65537, 2000.5, "8192"].map(
      (bytes): Wrong => [
        `tokens of ${bytes} bytes`,
        { "issuers[0].max_token_bytes": bytes },
        /^issuers\[0\]\.max_token_bytes: /,
      ],
    ),
    ...["", "a b", 'a"b', "a\\b", "ä", "a\tb", 7].map(
      (scope): Wrong => [
        `the scope ${scope}`,
        { "grants[0].scopes": ["sql:read", scope] },
        /^grants\[0\]\.scopes\[1\]: /,
      ],
    ),
    ["no scope", { "grants[0].scopes": [] }, /^grants\[0\]\.scopes: /],
    ["scopes as text", { "grants[0].scopes": "sql:read" }, /^grants\[0\]\.scopes: /],
    ...[2 ** 53, -(2 ** 53), 1e300].map(
      (id): Wrong => [
        `the number ${id}, which a token's may be rounded to`,
        { "grants[0].claims": { orgs: { id } } },
        /^grants\[0\]\.claims\.orgs/,
      ],
    ),
    ["no algorithms", { "issuers[0].algorithms": [] }, /^issuers\[0\]\.algorithms: /],
    ["an algorithm in other letters", { "issuers[0].algorithms": ["ed25519"] }, /algorithms\[0\]: /],
    ["an algorithm of another curve", { "issuers[0].algorithms": ["Ed448"] }, /algorithms\[0\]: /],
    ["an unknown encoding", { "issuers[0].secret_encoding": "hex" }, /^issuers\[0\]\.secret_encoding: /],
    ["a list of encodings", { "issuers[0].secret_encoding": ["utf8"] }, /^issuers\[0\]\.secret_encoding: /],
    ["the algorithm none", { "issuers[0].algorithms": ["none"] }, /^issuers\[0\]\.algorithms\[0\]: /],
    ["discovery false", { "issuers[0].discovery": false }, /^issuers\[0\]\.discovery: /],
    ["an empty typ", { "issuers[0].typ": "" }, /^issuers\[0\]\.typ: /],
    ["no life at all", { "issuers[0].max_lifetime_s": 0 }, /^issuers\[0\]\.max_lifetime_s: /],
    [
      "a required claim without a name",
      { "issuers[0].required_claims": [""] },
      /^issuers\[0\]\.required_claims/,
    ],
    ["a party as text", { "issuers[0].authorized_parties": "web" }, /^issuers\[0\]\.authorized_parties: /],
    ["a key address that is none", { "issuers[0].jwks_uri": "jwks.json" }, /^issuers\[0\]\.jwks_uri: /],
    [
      "an empty key set",
      { "issuers[0].jwks_uri": undefined, "issuers[0].jwks": { keys: [] } },
      /^issuers\[0\]\.jwks\.keys: /,
    ],
    [
      "an HMAC secret itself for its name",
      {
        "issuers[0].jwks_uri": undefined,
        "issuers[0].secret": "correct horse battery staple",
        "issuers[0].algorithms": ["HS256"],
      },
      /^issuers\[0\]\.secret: must be the NAME/,
    ],
    ["a grant without permissions", { "grants[0].allow": [] }, /^grants\[0\]\.allow: /],
    ["a claim that is a list", { "grants[0].claims": { role: ["a"] } }, /^grants\[0\]\.claims\.role: /],
    ["grants missing", { grants: undefined }, /^grants: /],
    ["accounts as a list", { accounts: [] }, /^accounts: /],
    ["a cluster that is text", { cluster: "db:3306" }, /^cluster: /],
  ];
  test.each(places)("%s", (_, parts, place) => {
    expect(mistakes(parts).filter((mistake) => place.test(mistake))).not.toEqual([]);
  });

  test("an account's name that would not fit a header", () => {
    const accounts = { Reader: good().accounts.reader };
    expect(mistakes({ accounts, grants: [] })).toEqual([expect.stringMatching(/^accounts\.Reader: /)]);
  });

  test("no accounts", () => {
    expect(mistakes({ accounts: {}, grants: [] })).toEqual(["accounts: needs an account"]);
  });

  test("does not repeat an account's password", () => {
    const found = mistakes({ "accounts.reader.password": "hunter2" });
    expect(found.join()).not.toContain("hunter2");
  });

  test.each([null, undefined, 1, "text", [], true])("a policy that is %j", (raw) => {
    expect(mistakesOf(() => parsePolicy(raw, "production", queries)).length).toBeGreaterThan(0);
  });
});

describe("an unknown key is refused by name in", () => {
  test.each([
    ["the file", { clusters: {} }, /clusters/],
    ["[cluster]", { "cluster.cert": "ca/production.pem" }, /^cluster: .*"cert"/],
    ["[cluster], as a way to turn TLS off", { "cluster.tls": false }, /^cluster: .*"tls"/],
    ["an account", { "accounts.reader.pasword": "X" }, /^accounts\.reader: .*"pasword"/],
    ["an issuer", { "issuers[0].jku": "https://id/" }, /^issuers\[0\]: .*"jku"/],
    ["a grant", { "grants[0].deny": ["sql:write"] }, /^grants\[0\]: .*"deny"/],
  ])("%s", (_, parts, place) => {
    expect(mistakes(parts).filter((mistake) => place.test(mistake))).toHaveLength(1);
  });

  // In TOML, `"__proto__" = "x"` is an ordinary key. Without it, the grant would be open to every caller.
  test("a grant's claims, named __proto__", () => {
    expect(mistakes({ "grants[0].claims": JSON.parse('{"__proto__":"x"}') })).toEqual([
      expect.stringMatching(/^grants\[0\]\.claims/),
    ]);
  });

  test("the accounts, named __proto__", () => {
    const accounts = JSON.parse('{"__proto__":{"user":"u","password":"P"}}');
    expect(mistakes({ accounts: Object.assign(accounts, good().accounts) })).toEqual([
      expect.stringMatching(/^accounts/),
    ]);
  });
});

describe("keys over http", () => {
  const uri = (text: string) => ({ "issuers[0].jwks_uri": text });

  test.each(["http://127.0.0.1:8788/jwks", "http://localhost/jwks", "http://[::1]:1/jwks"])(
    "are accepted in development from %s",
    (text) => {
      expect(mistakes(uri(text), "development")).toEqual([]);
    },
  );

  test.each([
    "http://id.example.com/jwks",
    "http://127.0.0.1.example.com/jwks",
    "http://localhost.example.com/jwks",
    "http://localhost@example.com/jwks",
    "http://10.0.0.1/jwks",
  ])("are refused in development from %s", (text) => {
    expect(mistakes(uri(text), "development")).toHaveLength(1);
  });

  test.each(["staging", "production", "Development", ""])("are refused in %j", (environment) => {
    expect(mistakes(uri("http://127.0.0.1/jwks"), environment)).toHaveLength(1);
  });
});

describe("all mistakes are reported at once", () => {
  test("of the form and across the parts", () => {
    const found = mistakes({
      "cluster.engine": "tidb",
      "cluster.link": "tunnel",
      "accounts.reader.acts_as": "reader@%",
      "accounts.reader.shards": 0,
      "issuers[0].jwks_uri": "http://id.example.com/",
      "grants[0].account": "writer",
      "grants[0].allow": ["query:none", "sql:read"],
      typo: 1,
    });
    expect(found).toHaveLength(7);
    for (const place of [
      /^cluster\.link/,
      /^accounts\.reader\.acts_as/,
      /^accounts\.reader\.shards/,
      /^issuers\[0\]\.jwks_uri/,
      /^grants\[0\]\.account/,
      /^grants\[0\]\.allow/,
      /typo/,
    ]) {
      expect(found.filter((mistake) => place.test(mistake))).toHaveLength(1);
    }
  });

  test("and the error's text has one line for each", () => {
    const error = new ConfigError(["a: one", "b: two"]);
    expect(error.message).toBe("The configuration has 2 mistake(s):\n- a: one\n- b: two");
    expect(error.mistakes).toEqual(["a: one", "b: two"]);
  });

  test("an invalid issuer does not also count as missing for its grants", () => {
    expect(mistakes({ "issuers[0].algorithms": ["none"] })).toHaveLength(1);
  });
});

describe("secretNames", () => {
  test("has the accounts' passwords and the issuers' secrets, each once", () => {
    const raw = change(good(), {
      "accounts.writer": { user: "gw_writer", password: "WRITER_PASSWORD" },
      "accounts.twin": { user: "gw_twin", password: "READER_PASSWORD" },
      issuers: [
        ...good().issuers,
        { issuer: "s", audience: "tidegate", algorithms: ["HS256"], secret: "JWT_SECRET" },
      ],
    });
    expect(secretNames(parsePolicy(raw, "production", queries))).toEqual([
      "READER_PASSWORD",
      "WRITER_PASSWORD",
      "JWT_SECRET",
    ]);
  });
});

/** Values just outside of a bound, on either side. */
function outside(path: string, ...values: number[]): [string, Record<string, unknown>, RegExp][] {
  return values.map((value) => [
    `${path} of ${value}`,
    { [path]: value },
    new RegExp(`^${path.replaceAll(".", "\\.")}: `),
  ]);
}
