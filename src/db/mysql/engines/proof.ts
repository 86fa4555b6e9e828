import type { Dialect } from "./dialect.ts";

/** The proof's query takes one round trip. Its columns are in the order of Identity. */
export function proofQuery({ proxyUser, serverId, serverReadOnly }: Dialect): string {
  return `SELECT USER(), CURRENT_USER(), ${proxyUser}, CURRENT_ROLE(), DATABASE(), CAST(CONNECTION_ID() AS CHAR), ${serverId}, VERSION() AS version, @@SESSION.collation_connection AS collation, @@max_allowed_packet AS packet, ${serverReadOnly} AS readonly`;
}

/**
 * The login's proof. It also reads the server's start. That costs half a millisecond, so restores omit it.
 */
export function loginProofQuery(dialect: Dialect): string {
  const { serverStart } = dialect;
  const proof = proofQuery(dialect);
  return serverStart === undefined ? proof : `${proof}, (${serverStart}) AS server_start`;
}
