import { limits } from "../../../limits.ts";
import { compareAloud } from "../../../sql/compare-aloud.ts";
import { ofSchemata } from "./collation.ts";
import type { Dialect } from "./dialect.ts";
import { questionOfMariadb } from "./plain.ts";
import { isSameServer } from "./reach.ts";
import { truncatedWrongValue } from "./server-errors.ts";
import { setRole } from "./session-state.ts";

export const mariadb: Dialect = {
  serverId: "@@server_uid",
  proxyUser: "@@proxy_user",
  serverReadOnly: "@@GLOBAL.read_only",
  serverStart:
    "SELECT UNIX_TIMESTAMP() - VARIABLE_VALUE AS started FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'UPTIME'",
  sharesIds: isSameServer,
  asksPrivileges: false,

  // MariaDB's ONLY_FULL_GROUP_BY knows no functional dependence and refuses common queries.
  defaultSqlMode: "STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION",
  // MariaDB has no variable default_collation_for_utf8mb4. Since 11.2, character_set_collations decides.
  databaseCollation: ofSchemata("COLLATION(_utf8mb4'')"),
  sessionAssignments: [`SESSION max_error_count = ${limits.warnings}`],
  restingAssignments: () => ["SESSION tx_read_only = ON"],
  restsWithDeadline: false,
  transactionAssignments: (deadlineMs) => [`SESSION max_statement_time = ${deadlineMs / 1000}`],
  enforcesReadOnly: true,
  rolesHaveHosts: false,

  // MariaDB drops profiles only while profiling is on, at the end of the next statement. Here that is the
  // USE.
  // The reset shows profiling as off but continues to record, so profiling must be set to OFF explicitly.
  restoring: (state, use, role) => [
    ...(role === null ? [] : [setRole(mariadb, role)]),
    `${state}, SESSION profiling_history_size = 0, SESSION profiling = ON`,
    `BEGIN NOT ATOMIC EXECUTE IMMEDIATE ${quoteText(use)}; SET SESSION profiling = OFF, SESSION profiling_history_size = DEFAULT; END`,
  ],
  resetKeepsXa: true,
  resetChangesPacketLimit: false,

  derivesTypes: false,
  preparesShowWarnings: true,
  changesReturnRows: true,
  preparesWithoutRunning: () => true,
  preparingRan: undefined,

  warningsQuestion: () => `SHOW WARNINGS LIMIT ${limits.warnings}`,
  tellsConversion: (code) => code === truncatedWrongValue,
  onlyWarnsInChange: () => true,
  convertsSilently: false,
  comparedAloud: compareAloud,

  plainQuestion: questionOfMariadb,
};

/** Quotes a text for the resting state's sql_mode, in which a backslash escapes. */
function quoteText(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
}
