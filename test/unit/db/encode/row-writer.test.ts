import { expect, test } from "vitest";
import { jsonRows } from "../../../../src/db/encode/json.ts";
import type { Style } from "../../../../src/db/encode/row-writer.ts";
import { tableOf } from "../../../../src/db/encode/row-writer.ts";
import { column } from "./wire.ts";

/** @returns a style, and how many cells it has made */
function counting(): { style: Style; made: () => number } {
  const style = jsonRows("array", { end: "", escapesLineEnds: false, head: (list) => list });
  let cells = 0;
  const cell: Style["cell"] = (values) => {
    cells += 1;
    return style.cell(values);
  };
  return { style: { ...style, cell }, made: () => cells };
}

test("a table is kept for the latest style only", () => {
  const columns = [column(0x03)];
  const [one, other] = [counting().style, counting().style];
  const table = tableOf(columns, one);
  expect(tableOf(columns, one)).toBe(table);
  expect(tableOf([...columns], one)).not.toBe(table);
  tableOf(columns, other);
  expect(tableOf(columns, one)).not.toBe(table);
});

test("columns of one kind share a cell, also those of other tables", () => {
  const { style, made } = counting();
  const kinds = [column(0x03), column(0xfd), column(0x0c, { decimals: 6 }), column(0x0c, { decimals: 0 })];
  for (let i = 0; i < 10; i++) tableOf([...kinds, ...kinds], style);
  expect(made()).toBe(kinds.length);
});

test("columns with texts of other character sets have cells of their own", () => {
  const { style, made } = counting();
  tableOf(
    ["a", "b"].map((text) => column(0xfd, { decode: () => text })),
    style,
  );
  expect(made()).toBe(2);
});
