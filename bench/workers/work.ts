import type { ExecuteWork } from "../../src/db/pool/messages/protocol.ts";

/** The message from the gateway's Worker to its Pool for the bench's request (src/routes/queries.ts). */
export function countryWork(sql: string): ExecuteWork {
  return {
    kind: "execute",
    caller: "AAAAAAAAAAAAAAAA",
    author: "operator",
    sql,
    values: [{ type: "string", value: "US" }],
    writable: false,
    bounded: true,
    atomic: true,
    returning: false,
    format: "json",
    shape: "object",
    ceilings: { deadlineMs: 15_000, bytes: 1_000_000 },
  };
}
