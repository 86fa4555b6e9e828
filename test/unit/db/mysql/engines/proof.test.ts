import { describe, expect, test } from "vitest";
import { dialectOf } from "../../../../../src/db/mysql/engines/dialect-of.ts";
import { loginProofQuery, proofQuery } from "../../../../../src/db/mysql/engines/proof.ts";
import { engines } from "./sample-identity.ts";

describe("the proof", () => {
  test.each(engines)("asks %s for everything in one statement", (engine) => {
    const sql = proofQuery(dialectOf({ engine }));
    expect(sql).not.toContain(";");
    for (const part of [
      "USER()",
      "CURRENT_USER()",
      "CURRENT_ROLE()",
      "DATABASE()",
      "VERSION() AS version",
      "@@SESSION.collation_connection",
      "@@max_allowed_packet",
      engine === "tidb" ? "NULL AS readonly" : "@@GLOBAL.read_only",
    ]) {
      expect(sql).toContain(part);
    }
    expect(sql.split(", ")).toHaveLength(11);
    // A double cannot hold a number of 63 bits.
    expect(sql).toContain("CAST(CONNECTION_ID() AS CHAR)");
  });

  test("asks for the proxy user on engines that have proxy users", () => {
    expect(engines.filter((engine) => proofQuery(dialectOf({ engine })).includes("@@proxy_user"))).toEqual([
      "mysql",
      "mariadb",
    ]);
  });

  test.each(engines)("on %s of no restore asks for the start, and each login's does but TiDB's", (engine) => {
    expect(proofQuery(dialectOf({ engine }))).not.toMatch(/uptime/i);
    expect(/uptime/i.test(loginProofQuery(dialectOf({ engine })))).toBe(engine !== "tidb");
    expect(loginProofQuery(dialectOf({ engine })).startsWith(proofQuery(dialectOf({ engine })))).toBe(true);
  });
});
