import { engines } from "../../../servers/database/engines.ts";

/**
 * The tests of each part of src, if no folder or test in test/gateway has its name. Keys are beginnings of
 * paths in src, values are beginnings of paths in test/gateway. A unit test reports rooms of src and
 * gateway tests that are missing here.
 */
export const rooms: Readonly<Record<string, readonly string[]>> = {
  "client/": ["client/"],
  "sample/queries/": ["sql/queries.", "sql/queries-lock.", "sql/database-check."],
  "test/golden/": ["values/golden."],
  // One statement, on the whole path of a request.
  "src/": ["sql/sql."],
  "src/app.ts": ["http/", "pool/hot-read."],
  "src/ask-object.ts": ["auth/key-outage.", "auth/limiter-outage.", "sql/idempotency-faults."],
  "src/bundled.d.ts": ["links/rustls."],
  "src/errors.ts": ["http/log.", "sql/server-errors."],
  "src/exposition.ts": ["pool/metrics."],
  "src/limits.ts": ["http/bounds.", "http/requests.", "answers/ceilings."],
  "src/members.ts": ["values/parameters.", "auth/hostile-tokens."],
  "src/read-body.ts": ["http/slow-bodies.", "http/requests.", "auth/issuers."],
  "src/telemetry.ts": ["http/log.", "pool/hot-read."],
  "src/timers.ts": [
    "pool/pool.",
    "pool/hot-read.",
    "pool/cancellation.",
    "pool/eviction.",
    "transactions/transactions.expiry.",
  ],
  "src/within.ts": ["pool/readiness.", "pool/cancellation.", "auth/key-outage."],
  "src/auth/": ["pool/hot-read."],
  "src/catalog/": [
    "sql/queries.",
    "sql/query-",
    "sql/database-check.",
    "values/parameters.",
    "values/claims.",
  ],
  "src/catalog/head/": ["sql/queries.", "sql/query-"],
  "src/config/": ["http/bounds.", "links/tls-settings.", "session/session-settings.", "auth/callers."],
  "src/config/reading.ts": ["tidb/readers."],
  "src/config/token-key.ts": ["tidb/token"],
  "src/db/": ["pool/pool.", "hyperdrive/hyperdrive."],
  "src/db/answer/": ["pool/hot-read."],
  "src/db/contract/": ["pool/pool.", "hyperdrive/hyperdrive.", "transactions/transactions."],
  "src/db/encode/": ["answers/", "values/golden.", "pool/hot-read."],
  "src/db/links/": ["faults/link-failures.", "tidb/tls.", "tidb/connect.", "tidb/dedicated-document."],
  "src/db/mysql/auth-plugins/": ["mysql/", "mariadb/", "tidb/logins.", "tidb/token", "tidb/identities."],
  "src/db/mysql/driver/": ["values/", "sql/batch", "pool/round-trips.", "pool/hot-read."],
  "src/db/mysql/engines/": ["mysql/", "mariadb/", "tidb/", "sql/server-errors."],
  "src/db/mysql/engines/plain.ts": ["session/plain-select."],
  "src/db/mysql/guard/": ["faults/hostile", "faults/fuzz.", "mysql/rogue-logins."],
  "src/db/mysql/session/": ["values/", "tidb/session-states.", "tidb/prepare.", "pool/hot-read."],
  "src/db/mysql/session/kill.ts": ["pool/cancellation.", "pool/two-servers.", "faults/unacknowledged."],
  "src/db/pool/connections/": ["faults/"],
  "src/db/pool/work/batch": ["sql/batch"],
  "src/db/pool/work/cancel": ["pool/cancellation.", "tidb/kill.", "tidb/deadlines.", "tidb/left-running."],
  "src/db/pool/worker/begin-transaction.ts": ["transactions/"],
  "src/introspection/": ["sql/schema.", "hyperdrive/schema."],
  "src/openapi/": ["sql/catalog.", "sql/openapi-answers.", "deploy/"],
  "src/rate/": ["auth/limiter-outage.", "http/wall.", "pool/races."],
  "src/routes/": ["http/", "pool/hot-read."],
  "src/routes/authorize.ts": ["auth/callers.", "auth/dpop."],
  "src/routes/cached.ts": ["sql/query-results."],
  "src/routes/etag.ts": ["sql/schema.", "sql/catalog.", "sql/query-results."],
  "src/routes/health.ts": ["pool/readiness."],
  "src/routes/idempotent.ts": ["sql/idempotency"],
  "src/routes/introspect.ts": ["sql/schema.", "hyperdrive/schema."],
  "src/routes/media-type.ts": ["answers/formats."],
  "src/routes/pages.ts": ["sql/query-pages."],
  "src/routes/paging.ts": ["sql/query-pages."],
  "src/routes/queries.ts": ["sql/query-"],
  "src/routes/shared-check.ts": ["pool/readiness."],
  "src/routes/statements.ts": ["sql/permissions.", "sql/read-only."],
  "src/sql/": ["values/", "tidb/lexer.", "tidb/statements.", "tidb/compared-with-text."],
  "src/sql/plain/": ["session/plain-select."],
};

const gateway = "test/gateway/";

/**
 * The gateway tests of a file of src. No test imports such a file, because workerd runs all of src for
 * every test. So names decide: each name in the path of the file is the beginning of a folder or a test in
 * test/gateway, or the table above has it.
 * @param file `src/routes/cancel.ts`
 * @param tests every gateway test
 * @returns test → distance: 1 for a test with the file's own name, one more for each folder around the file
 */
export function testsOfRoom(file: string, tests: readonly string[]): Map<string, number> {
  const names = file.split("/").map((name) => name.replace(/\..*$/, ""));
  const found = new Map<string, number>();
  const add = (depth: number, belongs: (test: string) => boolean) => {
    const distance = names.length - depth + 1;
    for (const test of tests) {
      if (belongs(test.slice(gateway.length)) && (found.get(test) ?? Infinity) > distance)
        found.set(test, distance);
    }
  };
  for (const [index, name] of file.startsWith("src/") ? names.entries() : []) {
    // src/db/mysql is the protocol, but test/gateway/mysql is one engine.
    if (!engines.some((engine) => engine === name))
      add(index + 1, (test) => test.split("/").some((part) => part.startsWith(name)));
  }
  for (const [beginning, places] of Object.entries(rooms)) {
    if (file.startsWith(beginning))
      add(beginning.split("/").filter(Boolean).length, (test) =>
        places.some((place) => test.startsWith(place)),
      );
  }
  return found;
}
