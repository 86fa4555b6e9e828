import type { ExecuteWork } from "../../src/db/pool/messages/protocol.ts";

/** What the gateway's Worker sends to its Pool for the bench's point select (src/routes/queries.ts). */
export function countryWork(sql: string, code = "US"): ExecuteWork {
  return {
    kind: "execute",
    caller: "AAAAAAAAAAAAAAAA",
    author: "operator",
    sql,
    values: [{ type: "string", value: code }],
    writable: false,
    bounded: true,
    atomic: true,
    returning: false,
    format: "json",
    shape: "object",
    ceilings: { deadlineMs: 15_000, bytes: 1_000_000 },
  };
}
