import { describe, expect, test } from "vitest";
import { collationWarning, ownerForm, ownerOf, readOwner } from "../../../../cli/scaffold/owner.ts";
import { column, table } from "./tables.ts";

const notes = table("notes", [
  column("id", "int"),
  column("author", "varchar(100)", { collation: "utf8mb4_0900_ai_ci" }),
  column("body", "text"),
  column("tag", "varchar(9)"),
  column("uid", "bigint"),
  column("at", "datetime"),
  column("upper_author", "varchar(100)", { generated: { expression: "UPPER(author)", stored: true } }),
]);

test.each(["jwt.sub", "author=jwt.sub", "odd name=jwt.app.tenant_id"])("%s is an owner", (text) => {
  expect(text).toMatch(ownerForm);
});

test.each(["sub", "author", "author=sub", "author=jwt.", "jwt.a-b", "=jwt.sub"])("%s is none", (text) => {
  expect(text).not.toMatch(ownerForm);
});

describe("the owner", () => {
  const of = (text: string, of = notes) => ownerOf(of, readOwner(text));

  test("is the column that is named", () => {
    expect(of("author=jwt.sub")).toMatchObject({ column: { name: "author" }, claim: "sub", type: "string" });
    expect(of("uid=jwt.app.id")).toMatchObject({ column: { name: "uid" }, claim: "app.id", type: "integer" });
  });

  test("is found if one text has an owner's name", () => {
    expect(of("jwt.sub").column.name).toBe("author");
  });

  test("must be named if none or several could be it", () => {
    const none = table("t", [column("id", "int"), column("title", "varchar(9)")]);
    const several = table("t", [
      column("id", "int"),
      column("author", "varchar(9)"),
      column("tenant", "char(9)"),
    ]);
    expect(() => of("jwt.sub", none)).toThrow(
      'not clear which column of t is the owner. Write --owner "COLUMN=jwt.sub"; there are: title.',
    );
    expect(() => of("jwt.sub", several)).toThrow("there are: author, tenant.");
  });

  test.each([
    ["nosuch=jwt.sub", "notes has no column nosuch"],
    ["at=jwt.sub", "at is datetime; an owner is a text or an integer"],
    ["upper_author=jwt.sub", "upper_author is generated"],
  ])("%s is refused", (text, message) => {
    expect(() => of(text)).toThrow(message);
  });

  test("whose collation takes different subjects for one is warned of", () => {
    expect(collationWarning(of("author=jwt.sub"))).toContain("author is compared in utf8mb4_0900_ai_ci");
    expect(collationWarning(of("tag=jwt.sub"))).toBeUndefined();
    expect(collationWarning(of("uid=jwt.sub"))).toBeUndefined();
  });
});
