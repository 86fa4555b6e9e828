import { expect, test } from "vitest";
import { typesText } from "../../../../cli/generate/types.ts";
import { parseQuery } from "../../../../src/catalog/parse.ts";

function textOf(head: string, name: string, type: string): string {
  const query = parseQuery("a.sql", `${head}\nSELECT 1 AS n;\n`);
  return typesText([{ ...query, columns: [{ name, type, nullable: false }] }]);
}

test("a column's type of a changed queries.lock ends no comment", () => {
  const text = textOf("-- One.", "n", "INT */ n: 1 } } }\nalert(1);\ninterface B { /*");
  const comments = text.replaceAll(/\/\*[\s\S]*?\*\//g, "");
  expect(comments).not.toContain("alert");
  expect(comments).toContain("n: string;");
});

test("the text of a head ends no comment", () => {
  const text = textOf("-- One. */ alert(1); /*\n--\n-- **/ alert(2)\n-- *\n-- / alert(3)", "n", "INT");
  expect(text.replaceAll(/\/\*[\s\S]*?\*\//g, "")).not.toContain("alert");
});

test("a column's name stays as it is, whatever line ends it has", () => {
  for (const name of ["a\nb", "a\u2028b", "a\r\nb", 'a"; alert(1); "'])
    expect(textOf("-- One.", name, "INT")).toContain(`      ${JSON.stringify(name)}: number;\n`);
});

test("a client that converts values says what they are; a parameter that no column has is named as unused", () => {
  const generics = (type: string) => /Queries<(.*)> \{/.exec(textOf("-- One.", "n", type))?.[1];
  expect(generics("BIGINT")).toBe("Bigint = string, _Decimal = string, _Datetime = string");
  for (const type of ["DATETIME", "TIMESTAMP"]) {
    expect(generics(type)).toBe("_Bigint = string, _Decimal = string, Datetime = string");
    expect(textOf("-- One.", "n", type)).toContain("n: Datetime;");
  }
  expect(textOf("-- One.", "n", "DATE")).toContain("n: string;");
});
