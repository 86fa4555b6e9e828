import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseCatalog } from "../../../src/catalog/parse.ts";

const folder = join(import.meta.dirname, "../../../queries");

test("the sample application's queries are right", () => {
  const files = readdirSync(folder).map((name) => ({
    name,
    text: readFileSync(`${folder}/${name}`, "utf8"),
  }));
  const queries = new Map(parseCatalog(files).map((query) => [query.name, query]));
  expect(queries.get("cities-by-country")).toMatchObject({
    kind: "read",
    order: ["country", "limit"],
    claims: [],
  });
  expect(queries.get("my-notes")).toMatchObject({ kind: "read", claims: ["sub"] });
  expect(queries.get("add-note")).toMatchObject({ kind: "write", order: ["city_id", "jwt.sub", "body"] });
  for (const query of queries.values()) expect(query.description, query.name).not.toBe("");
});
