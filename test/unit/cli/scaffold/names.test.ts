import { describe, expect, test } from "vitest";
import { parameterName, quoteName, slug } from "../../../../cli/scaffold/names.ts";

test.each([
  ["notes", "notes"],
  ["Order Items", "order-items"],
  ["bestSellers", "best-sellers"],
  ["/v1/books/", "v1-books"],
  ["Größe_é", "grosse_e".replace("ss", "-")],
  ["2024 sales", "n2024-sales"],
  ["__x__", "x"],
  ["書籍", ""],
  ["a".repeat(80), "a".repeat(48)],
])("the file of %s is %s", (text, name) => {
  expect(slug(text)).toBe(name);
});

describe("a parameter's name", () => {
  test.each([
    ["city_id", "city_id"],
    ["rows", "rows_value"],
    ["cursor", "cursor_value"],
    ["page_size", "page_size_value"],
    ["total", "total_value"],
    ["odd name!", "odd_name"],
    ["2fa", "_2fa"],
    ["prénom", "prenom"],
    ["書籍", "column"],
    ["sub", "sub_value"],
    ["x".repeat(64), "x".repeat(56)],
  ])("of the column %s is %s", (column, name) => {
    expect(parameterName(column, new Set(["sub"]))).toBe(name);
  });

  test("is another one for each column", () => {
    const taken = new Set<string>();
    const names = ["a b", "a-b", "a_b", "rows", "rows_value"].map((name) => parameterName(name, taken));
    expect(names).toEqual(["a_b", "a_b_value", "a_b_2", "rows_value", "rows_value_value"]);
  });
});

describe("a name in SQL", () => {
  const reserved = new Set(["SELECT", "ROWS"]);

  test.each([
    ["notes", "notes"],
    ["select", "`select`"],
    ["Rows", "`Rows`"],
    ["odd name", "`odd name`"],
    ["a`b", "`a``b`"],
    ["_utf8mb4", "`_utf8mb4`"],
    ["2fa", "`2fa`"],
  ])("%s is %s", (name, sql) => {
    expect(quoteName(name, reserved)).toBe(sql);
  });

  test("is in backquotes if the reserved words are not known", () => {
    expect(quoteName("notes", undefined)).toBe("`notes`");
  });
});
