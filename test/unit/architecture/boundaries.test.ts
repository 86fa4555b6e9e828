import { describe, expect, test } from "vitest";
import type { Import } from "./imports.ts";
import { importsOf, readSource, sourceFiles } from "./imports.ts";

/**
 * The direction of the house: index → app → routes → {auth, catalog, schema, idempotency, db/client} → {sql, config, errors,
 * limits, telemetry, timers}; inside db: client → {pool, hyperdrive} → mysql → links, {pool, hyperdrive} → encode, and
 * hyperdrive → pool for the answer, which is the same.
 */
const files = sourceFiles();
const imports = files.flatMap((file) => importsOf(file, readSource(file)));
/** What the bundler brings along is of no room: it imports nothing of ours. */
const isModule = ({ to }: Import) => to.endsWith(".wasm");
const ours = imports.filter((one) => one.ours && !isModule(one));

/** The rooms, and which rooms each may import; its own always. */
const rooms: Record<string, readonly string[]> = {
  index: ["app", "application", "auth", "db/pool", "idempotency", "rate"],
  app: [
    "application",
    "routes",
    "auth",
    "rate",
    "catalog",
    "db/pool",
    "sql",
    "config",
    "errors",
    "limits",
    "telemetry",
  ],
  application: ["config", "errors", "telemetry"],
  routes: [
    "application",
    "bytes",
    "auth",
    "rate",
    "idempotency",
    "catalog",
    "db/client.ts",
    "db/pool",
    "sql",
    "config",
    "errors",
    "exposition",
    "limits",
    "schema",
    "telemetry",
    "within",
  ],
  idempotency: ["application", "objects", "errors", "limits", "telemetry"],
  rate: ["application", "objects", "errors", "limits"],
  auth: ["bytes", "members", "objects", "application", "config", "errors", "limits", "telemetry"],
  catalog: ["sql", "errors", "limits"],
  schema: ["sql"],
  "db/client.ts": ["db/pool", "db/hyperdrive", "sql", "errors"],
  "db/hyperdrive": [
    "db/pool",
    "db/mysql",
    "db/links",
    "db/encode",
    "config",
    "errors",
    "limits",
    "telemetry",
    "within",
  ],
  "db/pool": [
    "application",
    "db/mysql",
    "db/links",
    "db/encode",
    "sql",
    "config",
    "errors",
    "exposition",
    "limits",
    "telemetry",
    "within",
  ],
  "db/mysql": ["db/links", "sql", "config", "errors", "limits", "telemetry", "within"],
  "db/links": ["config", "errors", "limits"],
  "db/encode": ["limits"],
  config: ["catalog", "sql", "limits"],
  telemetry: ["errors"],
  sql: ["limits", "members"],
  bytes: [],
  members: [],
  objects: [],
  errors: [],
  exposition: [],
  limits: [],
  within: [],
};

/** Imports of a room that may be types only: they shape what is handed over, and run nothing. */
const typesOnly = ["routes → application", "index → application", "config → catalog", "telemetry → errors"];

/** Files that stand directly in src and form a room together. */
const rootRooms: Record<string, string> = { "bundled.d.ts": "config" };

function roomOf(file: string): string {
  if (rootRooms[file] !== undefined) return rootRooms[file];
  const parts = file.split("/");
  if (parts.length === 1) return file.replace(/\.ts$/, "");
  return parts[0] === "db" ? parts.slice(0, 2).join("/") : (parts[0] ?? "");
}

function show(found: readonly Import[]): string[] {
  return found.map(({ from, to }) => `${from} imports ${to}`);
}

describe("the direction of imports", () => {
  test("every file belongs to a room", () => {
    expect(files.filter((file) => !Object.hasOwn(rooms, roomOf(file)))).toEqual([]);
  });

  test("every import of ours is a file in src, by its full name", () => {
    expect(show(ours.filter(({ to }) => !files.includes(to)))).toEqual([]);
  });

  test.each(Object.entries(rooms))("%s imports nothing but %j", (room, allowed) => {
    const wrong = ours.filter(({ from, to }) => {
      const target = roomOf(to);
      return roomOf(from) === room && target !== room && !allowed.includes(target);
    });
    expect(show(wrong)).toEqual([]);
  });

  test.each(typesOnly)("%s: types only", (pair) => {
    const wrong = ours.filter(
      ({ from, to, typeOnly }) => `${roomOf(from)} → ${roomOf(to)}` === pair && !typeOnly,
    );
    expect(show(wrong)).toEqual([]);
  });

  test("nothing imports index or app", () => {
    const wrong = ours.filter(
      ({ from, to }) => to === "index.ts" || (to === "app.ts" && from !== "index.ts"),
    );
    expect(show(wrong)).toEqual([]);
  });

  test("auth and db never import each other or routes", () => {
    const isDb = (file: string) => file.startsWith("db/");
    const isAuth = (file: string) => file.startsWith("auth/");
    const wrong = ours.filter(
      ({ from, to }) =>
        (isDb(from) && isAuth(to)) ||
        (isAuth(from) && isDb(to)) ||
        ((isDb(from) || isAuth(from)) && to.startsWith("routes/")),
    );
    expect(show(wrong)).toEqual([]);
  });

  test("of auth only the Keys object, which starts by itself, reads the application", () => {
    const wrong = ours.filter(
      ({ from, to, typeOnly }) =>
        from.startsWith("auth/") && to === "application.ts" && !typeOnly && from !== "auth/keys-object.ts",
    );
    expect(show(wrong)).toEqual([]);
  });

  test("index takes nothing from auth but its objects, and nobody else takes those", () => {
    const objects = ["auth/keys-object.ts", "auth/proofs-object.ts"];
    const wrong = ours.filter(
      ({ from, to, typeOnly }) =>
        (from === "index.ts" && to.startsWith("auth/") && !objects.includes(to)) ||
        (objects.includes(to) && from !== "index.ts" && !typeOnly),
    );
    expect(show(wrong)).toEqual([]);
  });

  test("of the pool hyperdrive takes what it answers with, never the object or its connections", () => {
    const taken = ["answer", "client", "protocol"].map((name) => `db/pool/${name}.ts`);
    const wrong = ours.filter(
      ({ from, to, typeOnly }) =>
        from.startsWith("db/hyperdrive/") &&
        to.startsWith("db/pool/") &&
        (!taken.includes(to) || (to === "db/pool/client.ts" && !typeOnly)),
    );
    expect(show(wrong)).toEqual([]);
  });

  test("db shows the rest only its client and its protocol, and index the object", () => {
    const doors = ["db/client.ts", "db/pool/client.ts", "db/pool/collect.ts", "db/pool/protocol.ts"];
    const wrong = ours.filter(
      ({ from, to }) =>
        !from.startsWith("db/") &&
        to.startsWith("db/") &&
        !doors.includes(to) &&
        !(from === "index.ts" && to === "db/pool/pool.ts"),
    );
    expect(show(wrong)).toEqual([]);
  });
});

describe("bounds", () => {
  /** What a protocol or a standard fixes has a name beside its use; what the gateway decides stands in limits.ts. */
  const bounds =
    /retryAfter: \d|\.(?:min|max)\([\d_]{3,}\)|^(?:export )?const (?!dayMs)\w+(?:Ms|Seconds|Shown) = [\d_]/m;
  test.each(files.filter((file) => file !== "limits.ts"))("%s has none of its own", (file) => {
    expect(bounds.exec(readSource(file))?.[0]).toBeUndefined();
  });
});

describe("every package has one home", () => {
  const homes: Record<string, RegExp> = {
    mysql2: /^db\/mysql\/driver\.ts$/,
    jose: /^(auth\/|db\/mysql\/account-token\.ts$)/,
    "@noble/curves": /^db\/mysql\/ed25519\.ts$/,
    "node:crypto": /^db\/(mysql\/ed25519|links\/certificate|pool\/address)\.ts$/,
    "cloudflare:sockets": /^db\/links\//,
    "cloudflare:workers":
      /^(db\/pool\/|auth\/(keys|proofs)-object\.ts$|(rate\/limiter|idempotency\/object)\.ts$)/,
    hono: /^(app\.ts|routes\/)/,
    "p-timeout": /^within\.ts$/,
    negotiator: /^routes\/(compression|format)\.ts$/,
    zod: /^(config\/|routes\/)/,
    "#application": /^application\.ts$/,
    "node:net": /^sql\/sql-types\.ts$/,
    "node:events": /^db\/(mysql|links)\//,
    "db/links/tls.wasm": /^db\/links\/rustls\.ts$/,
  };

  /** `hono/factory` is of hono, `@scope/name/part` of `@scope/name`. */
  function packageOf(specifier: string): string {
    if (specifier.endsWith(".wasm")) return specifier;
    const parts = specifier.split("/");
    return parts.slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
  }

  const foreign = imports.filter((one) => !one.ours || isModule(one));

  test("and none is without", () => {
    const unknown = foreign.filter(({ to }) => !Object.hasOwn(homes, packageOf(to)));
    expect(show(unknown)).toEqual([]);
  });

  test.each(Object.entries(homes))("%s: %s", (name, home) => {
    const wrong = foreign.filter(({ from, to }) => packageOf(to) === name && !home.test(from));
    expect(show(wrong)).toEqual([]);
  });
});

describe("files", () => {
  test.each(files)("%s has no more than 270 lines", (file) => {
    expect(readSource(file).split("\n").length - 1).toBeLessThanOrEqual(270);
  });
});

describe("the test itself", () => {
  test("sees every form of import", () => {
    const text = [
      'import a from "./a.ts";',
      'import type { B } from "../b.ts";',
      "import {",
      "  c,",
      "  type C,",
      '} from "./c/d.ts";',
      'export { e } from "./e.ts";',
      'export type { F } from "./f.ts";',
      'export * from "./g.ts";',
      'import "./h.ts";',
      'const i = await import("./i.ts");',
      'type J = import("./j.ts").J;',
      'const text = "x";',
      'import * as k from "node:fs";',
      'export const l = "from";',
    ].join("\n");
    const found = importsOf("sql/x.ts", text);
    expect(found.map(({ to }) => to)).toEqual([
      "sql/a.ts",
      "b.ts",
      "sql/c/d.ts",
      "sql/e.ts",
      "sql/f.ts",
      "sql/g.ts",
      "sql/h.ts",
      "sql/i.ts",
      "sql/j.ts",
      "node:fs",
    ]);
    expect(found.filter(({ typeOnly }) => typeOnly).map(({ to }) => to)).toEqual(["b.ts", "sql/f.ts"]);
  });

  test("sees as many imports as there are", () => {
    // Counted another way: every import of src ends with its specifier in double quotes.
    const count = files
      .map((file) => readSource(file).match(/\bfrom "[^"]+";|^import "|\bimport\("/gm)?.length ?? 0)
      .reduce((sum, n) => sum + n, 0);
    expect(imports).toHaveLength(count);
    expect(count).toBeGreaterThan(100);
  });
});
