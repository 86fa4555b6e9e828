import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseCatalog } from "../../../src/catalog/parse.ts";

const root = join(import.meta.dirname, "../../..");
const folder = join(root, "sample", "queries");

test("the sample application's queries are valid", () => {
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
  expect(queries.get("my-notes")).toMatchObject({
    kind: "read",
    claims: [{ name: "sub", path: ["sub"], type: "string" }],
  });
  expect(queries.get("add-note")).toMatchObject({ kind: "write", order: ["city_id", "jwt.sub", "body"] });
  for (const query of queries.values()) expect(query.summary, query.name).not.toBe("");
});

test("the documents' queries are valid", () => {
  const documents = [
    "README.md",
    "CONTRIBUTING.md",
    ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".md"))
      .map((name) => `docs/${name}`),
  ];
  const queries = documents.flatMap((name) =>
    [...readFileSync(join(root, name), "utf8").matchAll(/```sql(?: title="[^"]*")?\n(-- [\s\S]*?)```/g)]
      .map(([, text = ""], at) => ({ document: name, name: `q${at}.sql`, text }))
      .filter(({ text }) => /^-- @(?:param|claim) /m.test(text)),
  );
  expect(new Set(queries.map(({ document }) => document))).toEqual(
    new Set([
      "README.md",
      "docs/getting-started.md",
      "docs/queries.md",
      "docs/guides/scaffold.md",
      "docs/reference/values.md",
    ]),
  );
  for (const query of queries) expect(() => parseCatalog([query]), query.document).not.toThrow();
});
