import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { typesText } from "../../../cli/generate/types.ts";
import { packageProgram, packageRoot } from "../../../cli/project/paths.ts";
import { makeDocument } from "../../../src/openapi/document.ts";
import { everyFeature } from "./every-feature.ts";

/** What users write on the generated files, judged by the compiler. */

// Each of these starts a compiler, which takes long on a busy machine.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(packageRoot, ".tidegate", "test", "types-"));
  const document = JSON.stringify(makeDocument({ queries: everyFeature, issuers: [] }));
  const made = await runProgram(
    process.execPath,
    [join(import.meta.dirname, "openapi-typescript.mjs")],
    document,
  );
  expect(made.output).toContain("export interface paths");
  await writeFile(join(directory, "openapi.ts"), made.output);
  await writeFile(join(directory, "queries.ts"), typesText(everyFeature));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function runProgram(program: string, words: string[], input = "") {
  return await new Promise<{ status: number; output: string }>((resolve) => {
    const child = execFile(program, words, { maxBuffer: 1 << 26 }, (error, stdout, stderr) =>
      resolve({ status: error ? Number(error.code) : 0, output: stdout + stderr }),
    );
    child.stdin?.end(input);
  });
}

const strict = [
  "--ignoreConfig",
  ...["--strict", "--noUncheckedIndexedAccess", "--exactOptionalPropertyTypes"],
  ...["--noUnusedLocals", "--noUnusedParameters", "--verbatimModuleSyntax", "--allowImportingTsExtensions"],
  ...["--noEmit", "--target", "es2024", "--module", "nodenext", "--types", ""],
];

/** @returns the compiler's complaints about a program beside the generated files; empty if there are none */
async function compile(program: string): Promise<string> {
  const file = join(directory, `program-${crypto.randomUUID()}.ts`);
  await writeFile(file, program);
  const { status, output } = await runProgram(packageProgram("typescript", "tsc"), [...strict, file]);
  expect(status === 0, output).toBe(output === "");
  return output.replaceAll(directory, "").replaceAll(/^.*program-[-0-9a-f]+/gm, "program");
}

const use = `import type { Queries } from "./queries.ts";
type Of<Name extends keyof Queries> = Queries[Name];
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
`;

describe("generated/queries.ts", () => {
  test("gives parameters, rows and what a query does, under the strictest settings", async () => {
    const program = `${use}
      export const given: Of<"every-parameter">["parameters"] = {
        code: "NZ", codes: ["a", "b"], ids: [1, "9007199254740993"], id: "7", big: 7, size: "9007199254740993",
        limit: 3, since: null, word: 'b"c',
      };
      export const exact: [
        Same<Of<"every-column">["row"]["bigint unsigned or null"], string | null>,
        Same<Of<"every-column">["row"]["double"], number>,
        Same<Of<"every-column">["row"]["json"], unknown>,
        Same<Of<"pages">["row"], { id: string; "": string; __proto__: string }>,
        Same<Of<"pages">["pages"], true>,
        Same<Of<"add-order">["writes"], true>,
        Same<Of<"add-order">["row"], never>,
        Same<Of<"page-s">["row"], Record<string, unknown>>,
        Same<Of<"every-parameter">["parameters"]["limit"], number | undefined>,
        Same<Queries<bigint, number>["every-column"]["row"]["bigint"], bigint>,
        Same<Queries<bigint, number>["every-column"]["row"]["decimal or null"], number | null>,
        Same<Queries["pages-post"]["result"], "one">,
      ] = [true, true, true, true, true, true, true, true, true, true, true, true];
    `;
    expect(await compile(program)).toBe("");
  });

  test.each([
    [
      "a parameter that does not exist",
      `{ code: "NZ", codes: ["a"], ids: [1], id: 1, big: 1, more: 1 }`,
      "more",
    ],
    ["a missing parameter", `{ code: "NZ", codes: ["a"], ids: [1], id: 1 }`, "big"],
    ["a value that is not in the enum", `{ code: "", codes: [], ids: [], id: 1, big: 1, word: "z" }`, '"z"'],
    ["null where it is not allowed", `{ code: null, codes: [], ids: [], id: 1, big: 1 }`, "null"],
  ])("refuses %s", async (_, parameters, complaint) => {
    const program = `${use} export const given: Of<"every-parameter">["parameters"] = ${parameters};`;
    expect(await compile(program)).toContain(complaint);
  });

  test("is right for a catalog without numbers, and for one without queries", async () => {
    for (const [index, queries] of [everyFeature.slice(0, 1), []].entries()) {
      await writeFile(join(directory, `queries${index}.ts`), typesText(queries));
      const program = `import type { Queries } from "./queries${index}.ts";
        export type Converted = keyof Queries<bigint, number>;`;
      expect(await compile(program)).toBe("");
    }
  });
});

test("openapi-typescript's types of generated/openapi.json compile in a strict program", async () => {
  const program = `
    import type { components, operations, paths } from "./openapi.ts";
    type Json<Name extends keyof operations> = operations[Name] extends {
      responses: { 200: { content: { "application/json": infer Body } } };
    } ? Body : never;
    export const body: components["schemas"]["EveryParameterParameters"] = {
      code: "NZ", codes: ["a", "b"], ids: [1, "9007199254740993"], id: "7", big: "9007199254740993",
    };
    export const query: NonNullable<paths["/v1/queries/every-parameter"]["get"]>["parameters"]["query"] = {
      code: "NZ", codes: ["a", "b"], ids: [1], id: 7, big: "9007199254740993", limit: 2,
    };
    export function read(rows: Json<"everyColumn">, one: Json<"addOrderReturning">, counts: Json<"addOrder">) {
      const amount: string | null | undefined = rows.rows[0]?.["decimal or null"];
      const id: string = one.id;
      const changed: number = counts.rows_affected;
      return [amount, id, changed];
    }
    export function explain({ content }: components["responses"]["Problem400"]) {
      const problem = content["application/problem+json"];
      const code: "parameter_invalid" | "sql_error" | undefined =
        problem.code === "parameter_invalid" || problem.code === "sql_error" ? problem.code : undefined;
      return [code, problem.errors?.map(({ path }) => path), problem.status satisfies 400];
    }
  `;
  expect(await compile(program)).toBe("");
  const wrong = `import type { components } from "./openapi.ts";
    export const body: components["schemas"]["EveryParameterParameters"] = { code: "NZ" };`;
  expect(await compile(wrong)).toContain("codes");
});
