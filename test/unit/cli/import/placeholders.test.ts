// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a Data App writes its placeholders so.
import { describe, expect, test } from "vitest";
import type { Statement } from "../../../../cli/import/pieces.ts";
import { cut } from "../../../../cli/import/pieces.ts";
import { convert } from "../../../../cli/import/placeholders.ts";

function converted(sql: string) {
  const rename = (name: string) => (name === "total" ? "total_value" : name);
  return convert(cut(sql).statements[0] as Statement, rename, (name) => name === "ids");
}

describe("a placeholder", () => {
  test.each([
    ["SELECT ${a}", "SELECT :a"],
    ["SELECT ${ a }", "SELECT :a"],
    ["a=${a}AND b=${b}", "a=:a AND b=:b"],
    ["SELECT ${total}", "SELECT :total_value"],
    ["a = '${a}'", "a = :a"],
    ['a = "${a}"', "a = :a"],
    ["a LIKE '%${a}%'", "a LIKE CONCAT('%', :a, '%')"],
    ["a LIKE '${a}-${b}'", "a LIKE CONCAT(:a, '-', :b)"],
    ["a = 'it''s ${a}'", "a = CONCAT('it''s ', :a)"],
    ["a = '\\${a}'", "a = '\\${a}'"],
    ["a IN (${ids})", "a IN (:ids)"],
    ["a IN ${ids}", "a IN (:ids)"],
    ["a NOT IN  ${ids} AND b", "a NOT IN  (:ids) AND b"],
    ["a /* ${a} */ = 1 -- ${b}\n+ 1", "a /* ${a} */ = 1 -- ${b}\n+ 1"],
  ])("%s becomes %s", (sql, expected) => {
    expect(converted(sql).sql).toBe(expected);
  });

  test("tells where it stands", () => {
    const { places } = converted("SELECT ${a} FROM t WHERE b IN (${ids}) LIMIT ${n} OFFSET ${o}");
    expect(Object.fromEntries([...places].map(([name, where]) => [name, [...where]]))).toEqual({
      ...{ a: ["other"], ids: ["in"] },
      ...{ n: ["limit"], o: ["offset"] },
    });
    const [[, first], [, second]] = [...converted("LIMIT ${o}, ${n}").places] as [
      [string, Set<string>],
      [string, Set<string>],
    ];
    expect([[...first], [...second]]).toEqual([["offset"], ["limit"]]);
  });

  test("in quotes or in a name is told", () => {
    const { quoted, named } = converted("SELECT `${c}` FROM t WHERE a = '${a}' AND b = ${b}");
    expect([[...quoted], [...named]]).toEqual([["a"], ["c"]]);
  });
});
