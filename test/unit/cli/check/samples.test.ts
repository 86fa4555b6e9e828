import { expect, test } from "vitest";
import { sampleOf } from "../../../../cli/check/samples.ts";
import { parseQuery } from "../../../../src/catalog/parse.ts";
import type { Example, Parameter, SavedQuery } from "../../../../src/catalog/saved-query.ts";

function sample(parameter: Partial<Parameter>, examples: Example[] = []): unknown[] {
  const type = parameter.type ?? "string";
  const text = `-- @param v ${type}${parameter.list ? "[]" : ""}\nSELECT a FROM t WHERE b IN (:v)`;
  const query = parseQuery("q.sql", text);
  const [declared] = query.parameters as [Parameter];
  const whole: SavedQuery = { ...query, parameters: [{ ...declared, ...parameter }], examples };
  return sampleOf(whole).values.map(({ value }) => value);
}

const example = (v: unknown): Example[] => [{ description: "", parameters: { v } }];

test.each<[string, Partial<Parameter>, unknown[], Example[]?]>([
  ["the example's", { default: "x" }, ["e"], example("e")],
  [
    "the default, where the example leaves it out",
    { default: "x" },
    ["x"],
    [{ description: "", parameters: {} }],
  ],
  ["the default null", { default: null }, [null]],
  ["the first of an enum", { enum: ["b", "c"] }, ["b"]],
  ["the least", { type: "integer", min: 5, max: 9 }, [5]],
  ["the greatest", { type: "decimal", max: "9.50" }, ["9.50"]],
  ["a text that is long enough", { length: { least: 3 } }, ["aaa"]],
  ["a number", { type: "number" }, [1]],
  ["a boolean", { type: "boolean" }, [true]],
  ["a date", { type: "date" }, ["2026-01-01"]],
  ["an example of another type is left out", { type: "integer" }, [1], example("x")],
])("%s", (_, parameter, values, examples) => {
  expect(sample(parameter, examples)).toEqual(values);
});

test("arrays have as many elements as the example, or as few as they may", () => {
  expect(sample({ list: true }, example(["a", "b"]))).toEqual(["a", "b"]);
  const made = sample({ list: true, type: "integer", items: { least: 2 } });
  expect(new Set(made)).toEqual(new Set([1]));
  expect(made.length).toBeGreaterThanOrEqual(2);
});

test("claims: a text of a digit if undeclared, else their type", () => {
  const query = parseQuery(
    "q.sql",
    "-- @claim uid integer\n-- @claim groups string[]\nSELECT a FROM t WHERE b = :jwt.uid AND c = :jwt.sub AND d IN (:jwt.groups)",
  );
  expect(sampleOf(query).values.map(({ value }) => value)).toEqual([1, "1", "a"]);
});
