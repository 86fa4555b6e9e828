import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

/** The rules of .dependency-cruiser.mjs, on a small house where each of them is broken. */
const root = join(import.meta.dirname, "..", "..", "..");
const programs = join(root, "node_modules", ".bin");
/** The programs run on the Node that they find: the project's own. */
const environment = { ...process.env, PATH: `${programs}:${process.env.PATH}` };

const part = "export type T = string; export const v = 1; export default v;\n";
const useOf = (path: string) => `import { v } from "${path}"; export { v };\n`;
const typeOf = (path: string) => `import type { T } from "${path}"; export type U = T;\n`;

const files: Record<string, string> = {
  // Every form of an import, from a lower room into a higher one.
  ...Object.fromEntries([..."abcdefgh"].map((name) => [`src/routes/${name}.ts`, part])),
  "src/sql/forms.ts": [
    'import a from "../routes/a.ts";',
    'import type { T as B } from "../routes/b.ts";',
    'import { type T as C } from "../routes/c.ts";',
    'export { v } from "../routes/d.ts";',
    'export type { T } from "../routes/e.ts";',
    'export * from "../routes/f.ts";',
    'import "../routes/g.ts";',
    'const h = await import("../routes/h.ts");',
  ].join("\n"),
  // Circles, of types alone.
  "src/sql/one.ts": typeOf("./two.ts"),
  "src/sql/two.ts": typeOf("./one.ts"),
  "test/left/one.ts": typeOf("../right/one.ts"),
  "test/right/one.ts": part,
  "test/right/two.ts": typeOf("../left/two.ts"),
  "test/left/two.ts": part,
  // Rooms of the pool and of mysql that do not know each other.
  "src/db/pool/connections/a.ts": typeOf("../work/b.ts"),
  "src/db/pool/work/a.ts": typeOf("../connections/b.ts"),
  "src/db/pool/messages/a.ts": typeOf("../worker/b.ts"),
  "src/db/mysql/guard/a.ts": typeOf("../engines/b.ts"),
  "src/db/mysql/engines/a.ts": typeOf("../guard/b.ts"),
  ...Object.fromEntries(
    ["pool/connections", "pool/work", "pool/worker", "mysql/guard", "mysql/engines"].map((room) => [
      `src/db/${room}/b.ts`,
      part,
    ]),
  ),
  // A type may be imported where the code may not.
  "src/errors.ts": part,
  "src/telemetry.ts": useOf("./errors.ts") + typeOf("./errors.ts"),
  // A folder that no rule names, and rooms outside src.
  "src/attic/a.ts": useOf("../errors.ts"),
  "src/attic/b.ts": part,
  "src/routes/attic.ts": useOf("../attic/b.ts"),
  "test/support.ts": part,
  "bench/a.ts": typeOf("../test/support.ts"),
  "servers/a.ts": useOf("../src/errors.ts"),
  "client/a.ts": typeOf("../src/errors.ts") + typeOf("kysely") + typeOf("./kysely/b.ts"),
  "client/kysely/a.ts": typeOf("drizzle-orm") + useOf("../drizzle/b.ts"),
  "client/kysely/b.ts": part,
  "client/drizzle/a.ts": typeOf("kysely"),
  "client/drizzle/b.ts": part,
  "servers/database/tidb/a.ts": typeOf("../b.ts"),
  "servers/database/b.ts": part,
  // Doors.
  "src/auth/keys-object.ts": part,
  "src/auth/keys.ts": useOf("./keys-object.ts") + useOf("../application.ts"),
  "src/application.ts": useOf("#application"),
  "src/index.ts": useOf("./auth/keys.ts"),
  "src/config/a.ts": useOf("#application"),
  "src/db/links/wasm.ts": useOf("./tls.wasm"),
  "src/db/links/tls.wasm": "",
  // Packages.
  "src/routes/driver.ts": typeOf("mysql2"),
  "src/routes/hash.ts": useOf("node:crypto"),
  "src/routes/disk.ts": useOf("node:fs"),
  "src/routes/lost.ts": useOf("./nowhere.ts"),
  // Nothing wrong.
  "src/routes/good.ts": useOf("../errors.ts") + typeOf("../sql/good.ts"),
  "src/sql/good.ts": part,
};

interface Violation {
  from: string;
  to: string;
  rule: { name: string };
}
let house: string;
let violations: Violation[];

beforeAll(() => {
  house = mkdtempSync(join(tmpdir(), "tidegate-rooms-"));
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(house, file)), { recursive: true });
    writeFileSync(join(house, file), text);
  }
  const { stdout, stderr } = spawnSync(
    join(programs, "depcruise"),
    [
      ...["--config", join(root, ".dependency-cruiser.mjs"), "--output-type", "json"],
      ...["client", "src", "servers", "bench", "test"],
    ],
    { cwd: house, encoding: "utf8", env: environment },
  );
  expect(stderr).toBe("");
  violations = (JSON.parse(stdout) as { summary: { violations: Violation[] } }).summary.violations;
}, 120_000);

afterAll(() => rmSync(house, { recursive: true, force: true }));

function brokenBetween(from: string, to: string): string[] {
  return violations.filter((one) => one.from === from && one.to === to).map(({ rule }) => rule.name);
}

describe("npm run lint:imports refuses", () => {
  test.each([..."abcdefgh"])("every form of an import: %s", (name) => {
    expect(brokenBetween("src/sql/forms.ts", `src/routes/${name}.ts`)).toEqual(["src/sql"]);
  });

  test.each([
    ["src/sql/one.ts", "src/sql/two.ts", "circle of files"],
    ["test/left", "test/right", "circle of folders"],
    ["src/db/pool/connections/a.ts", "src/db/pool/work/b.ts", "src/db/pool/connections"],
    ["src/db/pool/work/a.ts", "src/db/pool/connections/b.ts", "src/db/pool/work"],
    ["src/db/pool/messages/a.ts", "src/db/pool/worker/b.ts", "src/db/pool/messages"],
    ["src/db/mysql/guard/a.ts", "src/db/mysql/engines/b.ts", "src/db/mysql/guard"],
    ["src/db/mysql/engines/a.ts", "src/db/mysql/guard/b.ts", "src/db/mysql/engines"],
    ["src/attic/a.ts", "src/errors.ts", "no room"],
    ["src/routes/attic.ts", "src/attic/b.ts", "into no room"],
    ["bench/a.ts", "test/support.ts", "bench"],
    ["servers/a.ts", "src/errors.ts", "servers"],
    ["client/a.ts", "src/errors.ts", "client"],
    ["client/a.ts", "kysely", "packages of the client"],
    ["client/a.ts", "client/kysely/b.ts", "client"],
    ["client/kysely/a.ts", "drizzle-orm", "packages of client/kysely"],
    ["client/kysely/a.ts", "client/drizzle/b.ts", "client/kysely"],
    ["client/drizzle/a.ts", "kysely", "packages of client/drizzle"],
    ["servers/database/tidb/a.ts", "servers/database/b.ts", "servers/database/tidb"],
    ["src/auth/keys.ts", "src/auth/keys-object.ts", "objects of auth"],
    ["src/auth/keys.ts", "src/application.ts", "auth is given its configuration"],
    ["src/index.ts", "src/auth/keys.ts", "index exports objects"],
    ["src/config/a.ts", "#application", "bundled configuration"],
    ["src/db/links/wasm.ts", "src/db/links/tls.wasm", "TLS artifact"],
    ["src/routes/driver.ts", "mysql2", "home of mysql2"],
    ["src/routes/hash.ts", "crypto", "home of crypto"],
    ["src/routes/disk.ts", "fs", "package without a home"],
    ["src/routes/lost.ts", "./nowhere.ts", "not found"],
  ])("%s → %s: %s", (from, to, rule) => {
    expect(brokenBetween(from, to)).toContain(rule);
  });

  test("the code where the type alone may be imported", () => {
    expect(brokenBetween("src/telemetry.ts", "src/errors.ts")).toEqual(["src/telemetry.ts: types only"]);
  });

  test("nothing that is allowed", () => {
    const good = ["src/routes/good.ts", "src/application.ts"];
    expect(violations.filter(({ from }) => good.includes(from))).toEqual([]);
  });
});

test("npm run lint refuses import(..) in a type, which those rules do not see, and not in the code", () => {
  writeFileSync(join(house, "type.ts"), 'export type T = import("./good.ts").T;\n');
  writeFileSync(join(house, "code.ts"), 'export const good = await import("./good.ts");\n');
  const { stdout } = spawnSync(
    join(programs, "biome"),
    [
      ...["lint", "--reporter=json", "--vcs-enabled=false", `--config-path=${join(root, "biome.json")}`],
      ...["type.ts", "code.ts"],
    ],
    { cwd: house, encoding: "utf8", env: environment },
  );
  const { diagnostics } = JSON.parse(stdout) as {
    diagnostics: { category: string; location: { path: string } }[];
  };
  expect(diagnostics.map(({ category, location }) => [category, location.path])).toEqual([
    ["plugin", "type.ts"],
  ]);
});
