import type { Dialect } from "./dialect.ts";

/** One proof, one round trip. Column order is Identity's. */
export function proofQuery({ proxyUser, serverId, serverReadOnly }: Dialect): string {
  return `SELECT USER(), CURRENT_USER(), ${proxyUser}, CURRENT_ROLE(), DATABASE(), CAST(CONNECTION_ID() AS CHAR), ${serverId}, VERSION() AS version, @@SESSION.collation_connection AS collation, @@max_allowed_packet AS packet, ${serverReadOnly} AS readonly`;
}

/** The proof of a login, which also reads the server's start. It costs half a millisecond, so no restore asks for it. */
export function loginProofQuery(dialect: Dialect): string {
  const { serverStart } = dialect;
  const proof = proofQuery(dialect);
  return serverStart === undefined ? proof : `${proof}, (${serverStart}) AS server_start`;
}
