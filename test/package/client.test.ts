import { cpSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, inject, test } from "vitest";
import { packageProgram, packageRoot } from "../../cli/project/paths.ts";
import { type } from "./run.ts";

/** `tidegate/client` and its adapters as another package imports them. */

const { home, unpacked } = inject("packed");
const folder = join(home, "client");
/** Of a package that has the query builders too. Node looks for them from the file's own place, so it is a copy. */
const builders = join(home, "builders");

beforeAll(() => {
  mkdirSync(join(folder, "node_modules"), { recursive: true });
  mkdirSync(join(builders, "node_modules/tidegate"), { recursive: true });
  symlinkSync(unpacked, join(folder, "node_modules/tidegate"));
  writeFileSync(join(folder, "package.json"), '{"type":"module"}');
  for (const part of ["package.json", "dist/client"])
    cpSync(join(unpacked, part), join(builders, "node_modules/tidegate", part), { recursive: true });
  for (const name of ["kysely", "drizzle-orm"])
    symlinkSync(join(packageRoot, "node_modules", name), join(builders, "node_modules", name));
  writeFileSync(join(builders, "package.json"), '{"type":"module"}');
});

const text = `import { createClient, TidegateError } from "tidegate/client";
interface Queries {
  "cities-by-country": {
    parameters: { country: string };
    result: "many";
    row: { id: bigint; name: string };
    writes: false;
    pages: false;
  };
}
export const db = createClient<Queries>({ url: "https://gateway.example", token: "t", bigint: "bigint" });
export const names = async (): Promise<string[]> =>
  (await db.query.citiesByCountry({ country: "JP" })).map(({ name }) => name);
// @ts-expect-error the interface says bigint
createClient<Queries>({ url: "https://gateway.example", token: "t" });
// @ts-expect-error there is no such query
db.query.cities();
export const code = (error: unknown) => (error instanceof TidegateError ? error.code : undefined);
`;

test.each([
  ["Node's resolution", ["--module", "nodenext"]],
  ["a bundler's", ["--module", "esnext", "--moduleResolution", "bundler"]],
])("its types are found by %s, and need no other package", async (_, options) => {
  writeFileSync(join(folder, "own.ts"), text);
  const words = ["--strict", "--noEmit", "--target", "es2022", "--types", "", ...options, "own.ts"];
  const ended = await type(process.execPath, [packageProgram("typescript", "tsc"), ...words], folder);
  expect([ended.status, ended.stdout]).toEqual([0, ""]);
});

test("the machine's own Node imports it, with no dependency installed", async () => {
  const script = `import * as client from "tidegate/client"; console.log(Object.keys(client).join());`;
  const ended = await type("node", ["--input-type=module", "--eval", script], folder);
  expect([ended.status, ended.stdout, ended.stderr]).toEqual([
    0,
    "TidegateError,createClient,ref,typed\n",
    "",
  ]);
});

const adapters = `import { eq } from "drizzle-orm";
import { int, mysqlTable } from "drizzle-orm/mysql-core";
import { Kysely } from "kysely";
import { createClient } from "tidegate/client";
import { drizzle } from "tidegate/drizzle";
import { TidegateDialect } from "tidegate/kysely";
const options = { url: "https://gateway.example", token: "t" };
export const client = createClient(options);
export const kysely = new Kysely<{ cities: { id: number } }>({ dialect: new TidegateDialect(options) });
export const ids = async (): Promise<number[]> =>
  (await kysely.selectFrom("cities").select("id").execute()).map(({ id }) => id);
// @ts-expect-error there is no such column
kysely.selectFrom("cities").select("name");
const cities = mysqlTable("cities", { id: int().primaryKey() });
export const db = drizzle({ ...options, schema: { cities } });
export const first = async (): Promise<{ id: number } | undefined> =>
  (await db.select().from(cities).where(eq(cities.id, 1)))[0] ?? (await db.query.cities.findFirst());
export const affected = async (): Promise<number> => (await db.delete(cities))[0].affectedRows;
// @ts-expect-error a cache would not be asked
drizzle({ ...options, cache: {} });
`;

test.each([
  ["Node's resolution", ["--module", "nodenext"]],
  ["a bundler's", ["--module", "esnext", "--moduleResolution", "bundler"]],
])("the adapters' types are found by %s, beside the query builders", async (_, options) => {
  writeFileSync(join(builders, "own.ts"), adapters);
  // Drizzle's own types name every driver's.
  const words = [
    "--strict",
    "--noEmit",
    "--skipLibCheck",
    "--target",
    "es2022",
    "--types",
    "",
    ...options,
    "own.ts",
  ];
  const ended = await type(process.execPath, [packageProgram("typescript", "tsc"), ...words], builders);
  expect([ended.status, ended.stdout]).toEqual([0, ""]);
});

test("the adapters are imported beside the query builders, and have the client's own error", async () => {
  const script = `import { TidegateError } from "tidegate/client";
import * as kysely from "tidegate/kysely";
import * as drizzle from "tidegate/drizzle";
console.log(Object.keys(kysely).join(), Object.keys(drizzle).join());
console.log(kysely.TidegateError === TidegateError && drizzle.TidegateError === TidegateError);`;
  const ended = await type(process.execPath, ["--input-type=module", "--eval", script], builders);
  expect([ended.status, ended.stdout, ended.stderr]).toEqual([
    0,
    "TidegateDialect,TidegateError,typed TidegateError,drizzle,typed\ntrue\n",
    "",
  ]);
});
