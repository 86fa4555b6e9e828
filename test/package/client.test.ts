import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, inject, test } from "vitest";
import { packageProgram } from "../../cli/project/paths.ts";
import { type } from "./run.ts";

/** `tidegate/client` as another package imports it. */

const { home, unpacked } = inject("packed");
const folder = join(home, "client");

beforeAll(() => {
  mkdirSync(join(folder, "node_modules"), { recursive: true });
  symlinkSync(unpacked, join(folder, "node_modules/tidegate"));
  writeFileSync(join(folder, "package.json"), '{"type":"module"}');
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
