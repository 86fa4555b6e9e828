import { describe, expect, test } from "vitest";
import { ColumnMemory } from "../../../../../src/db/mysql/driver/column-memory.ts";
import { limits } from "../../../../../src/limits.ts";
import { knownColumns, textColumns } from "./text-columns.ts";

/** The names of those texts, of the first hundred, that still have columns. */
const kept = (memory: ColumnMemory) =>
  Array.from({ length: 100 }, (_, i) => `${i}`).filter((text) => memory.get(text) !== undefined);

describe("the columns that a connection remembers", () => {
  test("have a number, over all texts: the oldest text gives way", () => {
    const memory = new ColumnMemory(64);
    const most = limits.knownColumns / limits.knownColumnsOfText;
    for (let i = 0; i < most; i++) textColumns(memory, `${i}`).learn(knownColumns(limits.knownColumnsOfText));
    expect([kept(memory).length, memory.hasDropped]).toEqual([most, false]);
    expect(memory.get("0")).toBeDefined();
    textColumns(memory, "99").learn(knownColumns(1));
    expect(kept(memory)).not.toContain("1");
    expect([kept(memory).length, memory.hasDropped]).toEqual([most, true]);
  });

  test("have a number of bytes, over all texts", () => {
    const memory = new ColumnMemory(64);
    for (let i = 0; i < 20; i++)
      textColumns(memory, `${i}`).learn(knownColumns(1, limits.knownColumnsBytesOfText));
    expect(kept(memory).length).toBe(limits.knownColumnsBytes / limits.knownColumnsBytesOfText);
  });

  test("are of so many texts", () => {
    const memory = new ColumnMemory(64);
    for (let i = 0; i < 100; i++) textColumns(memory, `${i}`).learn(knownColumns(1));
    expect(kept(memory).length).toBe(64);
  });

  test("count once for a text whose columns change", () => {
    const memory = new ColumnMemory(64);
    textColumns(memory, "0").learn(knownColumns(1));
    for (let i = 0; i < 100; i++)
      expect(textColumns(memory, "1").learn(knownColumns(limits.knownColumnsOfText))).toBe(i > 0);
    expect(kept(memory)).toEqual(["0", "1"]);
  });

  test.each([
    ["too many columns", "0", knownColumns(limits.knownColumnsOfText + 1)],
    ["too long definitions", "0", knownColumns(1, limits.knownColumnsBytesOfText + 1)],
    ["a too long text", "0".repeat(limits.hotStatementCharacters + 1), knownColumns(1)],
  ])("are not those with %s, and such columns may differ each time", (_, text, columns) => {
    const memory = new ColumnMemory(64);
    textColumns(memory, "0").learn(knownColumns(1));
    for (let i = 0; i < 2; i++) expect(textColumns(memory, text).learn(columns)).toBe(true);
    expect(memory.get(text)).toBeUndefined();
  });

  test("need no place before they come", () => {
    const memory = new ColumnMemory(2);
    textColumns(memory, "0").learn(knownColumns(1));
    for (let i = 1; i < 100; i++) expect(textColumns(memory, `${i}`).known).toBeUndefined();
    expect(memory.get("0")).toBeDefined();
  });
});
