/**
 * The allowed imports of each room. `npm run lint:imports` checks them, imports of types included
 * (CONTRIBUTING.md says how to add a room). A room is a folder without the rooms inside it, or a file
 * directly in src.
 *
 * The rooms are in order: `may` and `types` name only rooms above, so a circle of rooms is impossible. An
 * import that is not named is forbidden. A room in `types` may only be imported with `import type`, which
 * runs nothing.
 *
 * @type {Record<string, { why: string, may?: string[], types?: string[] }>}
 */
const rooms = {
  // Rooms that every room may need.
  "src/limits.ts": { why: "Bounds are numbers: they depend on nothing." },
  "src/errors.ts": { why: "The union of errors depends on nothing, so that every room can throw one." },
  "src/members.ts": { why: "Pure: the members of JSON texts." },
  "src/within.ts": { why: "Pure: a bounded wait." },
  "src/timers.ts": { may: ["src/limits.ts"], why: "Runs things later; it knows none of them." },
  "src/ask-object.ts": { why: "Asks any Durable Object; it knows none." },
  "src/read-body.ts": { why: "Reads any body; it knows no request." },
  "src/exposition.ts": { why: "Pure: Prometheus' text format." },
  "src/telemetry.ts": { types: ["src/errors.ts"], why: "Events are written down here, not handled." },

  // Statements, saved queries, configuration.
  "src/sql": {
    may: ["src/limits.ts", "src/members.ts"],
    why: "Pure: SQL has no HTTP error and no database.",
  },
  "src/catalog": { may: ["src/limits.ts", "src/sql"], why: "Pure: a saved query is SQL with a head." },
  "src/config": {
    may: ["src/limits.ts", "src/sql"],
    types: ["src/catalog"],
    why: "A policy is read without what it configures; the saved queries are only carried along.",
  },
  "src/openapi": {
    may: ["src/catalog", "src/errors.ts", "src/limits.ts"],
    why: "Pure: documents of saved queries, for the gateway and for the command that writes them.",
  },
  "src/bundled.d.ts": { may: ["src/config"], why: "The type of the bundled configuration." },
  "src/application.ts": {
    may: ["src/config", "src/errors.ts", "src/telemetry.ts"],
    why: "The configuration of this isolate.",
  },

  // The checks of a request before its statement.
  "src/auth": {
    may: [
      "src/application.ts",
      "src/ask-object.ts",
      "src/config",
      "src/errors.ts",
      "src/limits.ts",
      "src/members.ts",
      "src/read-body.ts",
      "src/telemetry.ts",
    ],
    why: "Who calls is decided without a look at the database or at the statement.",
  },
  "src/rate": {
    may: ["src/ask-object.ts", "src/errors.ts", "src/limits.ts"],
    types: ["src/application.ts"],
    why: "Buckets count requests, whatever the requests are.",
  },
  "src/idempotency": {
    may: ["src/ask-object.ts", "src/errors.ts", "src/limits.ts", "src/telemetry.ts"],
    types: ["src/application.ts"],
    why: "The object never runs a statement: it knows neither protocol nor cluster.",
  },
  "src/introspection": { types: ["src/sql"], why: "Pure: statements to ask, and a document of the answers." },

  // The database, from the bytes up.
  "src/db/encode": { why: "Pure: rows become bytes. No pool and no driver." },
  "src/db/contract": {
    types: ["src/application.ts", "src/config", "src/db/encode", "src/exposition.ts", "src/sql"],
    why: "Types, and the closed lists that they are of: what the ways to the database agree on.",
  },
  "src/db/links": {
    may: ["src/limits.ts"],
    types: ["src/config"],
    why: "A link carries bytes and does not know MySQL's protocol behind the greeting.",
  },
  "src/db/mysql/auth-plugins": { may: ["src/config", "src/limits.ts"], why: "How a login is proved." },
  "src/db/mysql/values": {
    may: ["src/errors.ts", "src/sql"],
    why: "Values are judged without a connection.",
  },
  "src/db/mysql/driver": {
    may: ["src/db/mysql/auth-plugins", "src/db/mysql/values", "src/errors.ts", "src/limits.ts"],
    types: ["src/db/contract", "src/db/links", "src/sql"],
    why: "All that knows mysql2; it works on any connection, of any engine.",
  },
  "src/db/mysql/guard": {
    may: ["src/limits.ts"],
    types: ["src/db/links"],
    why: "The guard sees bytes alone: it trusts no engine and no driver.",
  },
  "src/db/mysql/engines": {
    may: ["src/db/mysql/driver", "src/db/mysql/values", "src/errors.ts", "src/limits.ts", "src/sql"],
    types: ["src/config", "src/db/contract"],
    why: "What differs between the engines; not how a session uses it.",
  },
  "src/db/request": {
    may: ["src/db/mysql/engines", "src/sql"],
    types: ["src/config"],
    why: "The pool and Hyperdrive adapt a statement alike, so it belongs to neither.",
  },
  "src/db/mysql/session": {
    may: [
      "src/db/links",
      "src/db/mysql/auth-plugins",
      "src/db/mysql/driver",
      "src/db/mysql/engines",
      "src/db/mysql/guard",
      "src/db/mysql/values",
      "src/errors.ts",
      "src/limits.ts",
      "src/sql",
      "src/timers.ts",
      "src/within.ts",
    ],
    types: ["src/config", "src/db/contract"],
    why: "A proven session puts the other rooms of mysql together; it does not know the pool.",
  },
  "src/db/pool/messages": {
    may: ["src/db/encode", "src/db/mysql/engines", "src/errors.ts", "src/limits.ts"],
    types: [
      "src/application.ts",
      "src/config",
      "src/db/contract",
      "src/db/links",
      "src/exposition.ts",
      "src/sql",
    ],
    why: "What Worker and object say to each other; neither of them is in it.",
  },
  "src/db/answer": {
    may: ["src/db/encode", "src/db/mysql/session", "src/errors.ts", "src/limits.ts"],
    types: ["src/db/contract", "src/db/mysql/driver", "src/db/mysql/engines", "src/timers.ts"],
    why: "The pool and Hyperdrive answer alike, so it belongs to neither.",
  },
  "src/db/pool/worker": {
    may: [
      "src/db/encode",
      "src/db/pool/messages",
      "src/db/request",
      "src/errors.ts",
      "src/limits.ts",
      "src/within.ts",
    ],
    types: ["src/application.ts", "src/config", "src/db/contract", "src/exposition.ts"],
    why: "The Worker's side: it may not bring the object's code into the Worker's path.",
  },
  "src/db/pool/connections": {
    may: [
      "src/db/links",
      "src/db/mysql/session",
      "src/errors.ts",
      "src/limits.ts",
      "src/telemetry.ts",
      "src/timers.ts",
    ],
    types: ["src/config", "src/db/contract", "src/db/mysql/engines", "src/db/pool/messages"],
    why: "Where a connection comes from; not what is done with it (src/db/pool/work).",
  },
  "src/db/pool/work": {
    may: [
      "src/db/answer",
      "src/db/encode",
      "src/db/mysql/driver",
      "src/db/mysql/engines",
      "src/db/mysql/session",
      "src/db/pool/messages",
      "src/errors.ts",
      "src/limits.ts",
      "src/sql",
      "src/telemetry.ts",
      "src/timers.ts",
      "src/within.ts",
    ],
    types: ["src/config", "src/db/contract"],
    why: "What is done with a connection; not where it comes from (src/db/pool/connections).",
  },
  "src/db/pool/object": {
    may: [
      "src/application.ts",
      "src/db/answer",
      "src/db/mysql/engines",
      "src/db/mysql/session",
      "src/db/pool/connections",
      "src/db/pool/messages",
      "src/db/pool/work",
      "src/errors.ts",
      "src/limits.ts",
      "src/sql",
      "src/telemetry.ts",
      "src/timers.ts",
    ],
    types: ["src/config", "src/db/contract", "src/db/encode", "src/db/links", "src/exposition.ts"],
    why: "The Durable Object puts connections and work together; only src/index.ts exports it.",
  },
  "src/db/hyperdrive": {
    may: [
      "src/db/answer",
      "src/db/encode",
      "src/db/links",
      "src/db/mysql/driver",
      "src/db/mysql/engines",
      "src/db/mysql/session",
      "src/db/mysql/values",
      "src/db/request",
      "src/errors.ts",
      "src/limits.ts",
      "src/telemetry.ts",
      "src/timers.ts",
      "src/within.ts",
    ],
    types: ["src/config", "src/db/contract", "src/exposition.ts"],
    why: "The other way to the database: it knows nothing of the pool.",
  },
  "src/db/create-backend.ts": {
    may: ["src/db/hyperdrive", "src/db/pool/worker"],
    types: ["src/config", "src/db/contract"],
    why: "Chooses the pool or Hyperdrive, once; only src/app.ts asks it.",
  },

  // HTTP.
  "src/routes": {
    may: [
      "src/auth",
      "src/catalog",
      "src/config",
      "src/db/contract",
      "src/db/encode",
      "src/errors.ts",
      "src/exposition.ts",
      "src/idempotency",
      "src/introspection",
      "src/limits.ts",
      "src/openapi",
      "src/rate",
      "src/read-body.ts",
      "src/sql",
      "src/telemetry.ts",
      "src/within.ts",
    ],
    types: ["src/application.ts"],
    why: "HTTP in, HTTP out: of the database only the contract and the names of the formats.",
  },
  "src/app.ts": {
    may: [
      "src/application.ts",
      "src/auth",
      "src/db/create-backend.ts",
      "src/errors.ts",
      "src/rate",
      "src/routes",
    ],
    why: "The request's path, top to bottom; only src/index.ts imports it.",
  },
  "src/index.ts": {
    may: ["src/app.ts", "src/auth", "src/db/pool/object", "src/idempotency", "src/rate"],
    types: ["src/application.ts"],
    why: "The Worker's exports: the app and the Durable Objects.",
  },
  "src/serve": {
    may: ["src/app.ts", "src/errors.ts", "src/index.ts", "src/limits.ts", "src/routes"],
    types: ["src/application.ts"],
    why: "The same Worker on plain workerd: it does what Cloudflare does in front of a Worker.",
  },
};

const gateway = Object.keys(rooms);
const insideOfGateway = gateway.filter((name) => !["src/app.ts", "src/index.ts", "src/serve"].includes(name));

Object.assign(rooms, {
  client: { why: "It runs in browsers too: it has no dependency, and nothing of the gateway." },
  "client/kysely": { may: ["client"], why: "A dialect of Kysely on the client, which does not know it." },
  "client/drizzle": { may: ["client"], why: "A driver of Drizzle on the client, which does not know it." },

  // The servers that npm start, the benches, the soak and the tests start.
  servers: { why: "Processes, ports, locks and certificates, for any server." },
  "servers/wire": { why: "Bytes between a client and a server; it starts neither." },
  "servers/issuer": { why: "An issuer of tokens; it knows no database." },
  "servers/database/tidb": { may: ["servers"], why: "Where a TiDB is found, or built." },
  "servers/database": { may: ["servers", "servers/database/tidb"], why: "The database servers." },

  // The commands. They use the gateway's own parts, so they judge as the gateway does.
  "cli/command": {
    may: ["servers", "src/errors.ts"],
    why: "How a command declares its options, and how it tells a mistake: it knows no command.",
  },
  "cli/connect/strings": { why: "Pure: reads connection strings." },
  "cli/project": {
    may: ["cli/command", ...insideOfGateway],
    types: ["servers/database"],
    why: "The project's files; no command.",
  },
  "cli/node": {
    may: ["cli/command", "cli/project", ...insideOfGateway],
    types: ["cli/connect/strings"],
    why: "A link as Node has it, for every command that connects.",
  },
  "cli/dev/quick": { may: ["servers/database"], why: "Which tests a change can touch; it runs none." },
  "cli/dev": {
    may: ["cli/command", "cli/dev/quick", "cli/project", "servers", "servers/database", ...insideOfGateway],
    why: "What the product's developers run, and nobody else.",
  },
  "cli/serve": {
    may: ["cli/command", "cli/project", "servers", ...insideOfGateway],
    types: ["src/serve"],
    why: "tidegate serve: workerd, and nothing else.",
  },
  "cli/accounts": {
    may: ["cli/command", "cli/node", "cli/project", ...insideOfGateway],
    why: "tidegate accounts.",
  },
  "cli/check": {
    may: ["cli/accounts", "cli/command", "cli/node", "cli/project", ...insideOfGateway],
    why: "tidegate check.",
  },
  "cli/deploy": {
    may: ["cli/command", "cli/node", "cli/project", "servers", ...insideOfGateway],
    why: "tidegate deploy: what it asks of wrangler and of the gateway.",
  },
  "cli/scaffold": {
    may: ["cli/command", ...insideOfGateway],
    why: "tidegate scaffold; it is given its login, and what it finds becomes files.",
  },
  "cli/import": {
    may: ["cli/command", "cli/scaffold", ...insideOfGateway],
    why: "tidegate import: it writes saved queries as scaffold does.",
  },
  "cli/connect": {
    may: [
      "cli/check",
      "cli/command",
      "cli/connect/strings",
      "cli/node",
      "cli/project",
      "servers/issuer",
      ...insideOfGateway,
    ],
    why: "tidegate connect; it asks an issuer for its keys as check does, and makes a key for trying.",
  },
  "cli/init": { may: ["cli/command", "cli/project", "servers"], why: "tidegate init." },
  "cli/start": {
    may: [
      "cli/accounts",
      "cli/check",
      "cli/command",
      "cli/connect",
      "cli/connect/strings",
      "cli/node",
      "cli/project",
      "servers",
      "servers/database",
      "servers/issuer",
      ...insideOfGateway,
    ],
    why: "tidegate start: nothing else that is shipped starts a server.",
  },
  cli: {
    may: [
      "cli/accounts",
      "cli/check",
      "cli/command",
      "cli/connect",
      "cli/connect/strings",
      "cli/deploy",
      "cli/import",
      "cli/init",
      "cli/project",
      "cli/scaffold",
      "cli/serve",
      "cli/start",
      "servers/database",
      "servers/issuer",
      ...insideOfGateway,
    ],
    why: "The commands stand on top: no folder imports one.",
  },
});

// Code that is shipped or measured needs no test: test/ is last, and no room names it.
const everything = Object.keys(rooms);
Object.assign(rooms, {
  bench: { may: everything, why: "The benches measure everything and test nothing." },
  soak: { may: [...everything, "bench"], why: "The soak shares figures with the benches; it needs no test." },
  test: { may: [...everything, "bench", "soak"], why: "The tests see everything, and nothing sees them." },
});

/**
 * A package, or a module of the runtime, has one home in src: only the files in `where` may import it. A
 * package without a home is refused.
 */
const homes = {
  mysql2: {
    where: "^src/db/mysql/driver/driver\\.ts$",
    why: "The gateway uses a slice of mysql2, told there.",
  },
  refa: {
    where: "^src/catalog/head/pattern\\.ts$",
    why: "Patterns become tables when the gateway is built; the Worker only runs the tables.",
  },
  jose: {
    where: "^src/(auth/|db/mysql/auth-plugins/account-token\\.ts$)",
    why: "Tokens are verified in auth, and signed for TiDB's logins.",
  },
  "@noble/curves": { where: "^src/db/mysql/auth-plugins/ed25519\\.ts$", why: "MariaDB's plugin ed25519." },
  crypto: {
    where: "^src/db/(mysql/auth-plugins/ed25519|links/certificate|pool/messages/object-name)\\.ts$",
    why: "Elsewhere Web Crypto does.",
  },
  events: { where: "^src/db/(mysql|links)/", why: "The driver's interface; elsewhere promises do." },
  net: { where: "^src/sql/adhoc-types\\.ts$", why: "It tells IP addresses; sockets are cloudflare:sockets." },
  "cloudflare:sockets": { where: "^src/db/links/", why: "Bytes reach the cluster over a link alone." },
  "cloudflare:workers": {
    where:
      "^src/(db/pool/object/pool|auth/(keys|proofs)-object|rate/limiter|idempotency/object|serve/worker)\\.ts$",
    why: "The base classes of Durable Objects, and of entry points.",
  },
  "ipaddr.js": { where: "^src/serve/arrival\\.ts$", why: "Addresses of callers, and networks of proxies." },
  hono: { where: "^src/routes/endpoints\\.ts$", why: "Its router finds the endpoint of a path." },
  negotiator: { where: "^src/routes/(compression|format)\\.ts$", why: "What the caller accepts." },
  zod: { where: "^src/(config|routes)/", why: "Input is judged where it comes in." },
  "p-timeout": { where: "^src/within\\.ts$", why: "Bounded waits go through one helper." },
};

/** The path of a package's import: unchanged, or resolved. */
const packagePath = (name) => `^(node_modules/)?${name}(/|$)`;
/** The bundled configuration, which a build writes. */
const application = "^#application$";
const house = "^(client|src|servers|cli|bench|soak|test)/";

/** The path of a room's files, without those of rooms inside it. */
function pathOf(name) {
  if (name.endsWith(".ts")) return `^${name.replaceAll(".", "\\.")}$`;
  const inside = Object.keys(rooms).filter((other) => other.startsWith(`${name}/`));
  return inside.length === 0
    ? `^${name}/`
    : `^${name}/(?!${inside.map((o) => `${o.slice(name.length + 1)}/`).join("|")})`;
}

/** The rules of one room. */
function rulesOf([name, { why, may = [], types = [] }], index, all) {
  const above = all.slice(0, index).map(([other]) => other);
  const unknown = [...may, ...types].filter((other) => !above.includes(other));
  if (unknown.length > 0) throw new Error(`${name} may import ${unknown.join(", ")}: put that above it.`);
  const from = { path: pathOf(name) };
  const allowed = [name, ...may, ...types].map(pathOf);
  return [
    { name, comment: why, from, to: { path: house, pathNot: allowed } },
    ...(types.length === 0
      ? []
      : [
          {
            name: `${name}: types only`,
            comment: why,
            from,
            to: { path: types.map(pathOf), dependencyTypesNot: ["type-only"] },
          },
        ]),
  ];
}

const everyRoom = Object.keys(rooms).map(pathOf);
const objectsOfAuth = "^src/auth/(keys|proofs)-object\\.ts$";

const forbidden = [
  {
    name: "circle of files",
    comment: "Files that need each other become one file, or share a third one, most often of types.",
    from: {},
    to: { circular: true },
  },
  {
    name: "circle of folders",
    comment: "Folders inside a room (test/, bench/) have a direction too.",
    scope: "folder",
    from: {},
    to: { circular: true },
  },
  {
    name: "no room",
    comment: "A new folder has a direction from its first file on: add it to the rooms.",
    from: { path: house, pathNot: everyRoom },
    to: {},
  },
  {
    name: "into no room",
    comment: "A new folder has a direction from its first file on: add it to the rooms.",
    from: {},
    to: { path: house, pathNot: everyRoom },
  },
  {
    name: "not found",
    comment:
      "What is not found is not checked. The runtime's modules and the built configuration are no files here.",
    from: {},
    to: { couldNotResolve: true, pathNot: ["^cloudflare:", application] },
  },
  ...Object.entries(rooms).flatMap(rulesOf),
  {
    name: "objects of auth",
    comment: "They start by themselves: other files ask them over a binding, and need their types alone.",
    from: { pathNot: ["^src/index\\.ts$", "^(test|bench)/"] },
    to: { path: objectsOfAuth, dependencyTypesNot: ["type-only"] },
  },
  {
    name: "index exports objects",
    comment: "Of auth nothing but its objects is exported.",
    from: { path: "^src/index\\.ts$" },
    to: { path: "^src/auth/", pathNot: objectsOfAuth },
  },
  {
    name: "auth is given its configuration",
    comment: "Only the Keys object, which starts by itself, reads the configuration.",
    from: { path: "^src/auth/", pathNot: "^src/auth/keys-object\\.ts$" },
    to: { path: "^src/application\\.ts$", dependencyTypesNot: ["type-only"] },
  },
  {
    name: "TLS artifact",
    comment: "One file loads the WebAssembly of native/tls.",
    from: { path: house, pathNot: "^src/db/links/rustls\\.ts$" },
    to: { path: "\\.wasm$" },
  },
  {
    name: "bundled configuration",
    comment: "One file reads it: the others are given a Config.",
    from: { path: "^src/", pathNot: "^src/application\\.ts$" },
    to: { path: application },
  },
  ...Object.entries(homes).map(([name, { where, why }]) => ({
    name: `home of ${name}`,
    comment: why,
    from: { path: "^src/", pathNot: where },
    to: { path: packagePath(name) },
  })),
  {
    name: "packages of the client",
    comment: "The client has no dependency; an adapter has the one that it adapts, which its user installs.",
    from: { path: "^client/", pathNot: "^client/(kysely|drizzle)/" },
    to: { pathNot: "^client/" },
  },
  ...[
    ["kysely", "kysely"],
    ["drizzle", "drizzle-orm"],
  ].map(([folder, name]) => ({
    name: `packages of client/${folder}`,
    comment: `It has the one package that it adapts: ${name}.`,
    from: { path: `^client/${folder}/` },
    to: { pathNot: ["^client/", packagePath(name)] },
  })),
  {
    name: "package without a home",
    comment: "The bundle has few packages, and each one place: say which, and why.",
    from: { path: "^src/" },
    to: { pathNot: ["^src/", application, ...Object.keys(homes).map(packagePath)] },
  },
];

export default {
  forbidden: forbidden.map((rule) => ({ severity: "error", ...rule })),
  options: {
    // swc sees `import type`. TypeScript 7 has no API for another parser.
    parser: "swc",
    doNotFollow: { path: "node_modules" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "types", "node", "default"],
      extensions: [".ts", ".d.ts", ".js", ".mjs"],
    },
  },
};
