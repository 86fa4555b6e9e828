import { describe, expect, test } from "vitest";
import type { Engine } from "../../../../../src/config/schema.ts";
import { dialectOf } from "../../../../../src/db/mysql/engines/dialect-of.ts";
import { reaches as reachesOf } from "../../../../../src/db/mysql/engines/reach.ts";
import { engines, plain } from "./sample-identity.ts";

describe("a KILL", () => {
  const reaches = (engine: Engine, connectionId: string, serverId: string) =>
    reachesOf(dialectOf({ engine }), plain(engine), plain(engine, { connectionId, serverId }));

  test.each(engines)("on %s reaches every session on its own server, by a numeric id", (engine) => {
    for (const id of ["1", "42", "4294967296", "9223372036854775807"])
      expect(reaches(engine, id, "s1")).toBe(true);
    for (const id of ["", "undefined", "NULL", "42; DROP TABLE t", "-1", "0x2a", "4.2"])
      expect(reaches(engine, id, "s1")).toBe(false);
  });

  test.each<[number | undefined, number | undefined, boolean]>([
    [1_796_030_000, 1_796_030_000, true],
    [1_796_030_000, 1_796_030_001, true],
    [1_796_030_001, 1_796_030_000, true],
    [1_796_030_000, 1_796_030_002, false],
    [1_796_030_000, 1_795_000_000, false],
    [1_796_030_000, undefined, false],
    [undefined, undefined, false],
    [Number.NaN, Number.NaN, false],
  ])("of a server that started at %s goes to one that started at %s: %s", (one, other, reached) => {
    for (const engine of ["mysql", "mariadb"] as const) {
      const [control, session] = [{ serverStart: one }, { serverStart: other }];
      expect(reachesOf(dialectOf({ engine }), plain(engine, control), plain(engine, session))).toBe(reached);
    }
  });

  test.each<[string, boolean, string]>([
    ["2097154", true, "server 1, 32 bits"],
    ["4294967294", true, "server 2047, 32 bits"],
    ["2199023255555", true, "server 1, 64 bits"],
    ["9223372036854775807", true, "the greatest"],
    ["42", false, "a counter"],
    ["2097152000000", false, "an even one of more than 32 bits"],
    ["4294967295", false, "one of 64 bits that was cut off"],
    ["2097152", true, "server 1, its first"],
    ["2097150", false, "no server's"],
  ])("of TiDB's %s from another server: %s (%s)", (id, reached) => {
    expect(reaches("tidb", id, "s2")).toBe(reached);
    // On another server the same id may belong to another connection.
    for (const engine of ["mysql", "mariadb"] as const) expect(reaches(engine, id, "s2")).toBe(false);
  });
});
