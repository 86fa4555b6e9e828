import { limits } from "../../../limits.ts";
import { ofSchemata } from "./collation.ts";
import type { Dialect } from "./dialect.ts";
import { questionOfMysql } from "./plain.ts";
import { isSameServer } from "./reach.ts";
import { truncatedWrongValue } from "./server-errors.ts";

export const mysql: Dialect = {
  serverId: "@@server_uuid",
  proxyUser: "@@proxy_user",
  serverReadOnly: "@@GLOBAL.read_only",
  serverStart:
    "SELECT UNIX_TIMESTAMP() - VARIABLE_VALUE AS started FROM performance_schema.global_status WHERE VARIABLE_NAME = 'Uptime'",
  sharesIds: isSameServer,
  asksPrivileges: false,

  defaultSqlMode:
    "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION",
  databaseCollation: ofSchemata("@@default_collation_for_utf8mb4"),
  sessionAssignments: [],
  restingAssignments: () => ["SESSION transaction_read_only = ON"],
  restsWithDeadline: false,
  transactionAssignments: (deadlineMs) => [`SESSION max_execution_time = ${Math.ceil(deadlineMs)}`],
  enforcesReadOnly: true,
  rolesHaveHosts: true,

  // MySQL drops the traces when this variable is set, to any value.
  restoring: (state, use) => [`${state}, SESSION optimizer_trace_offset = DEFAULT`, use],
  resetKeepsXa: false,
  resetChangesPacketLimit: false,

  derivesTypes: true,
  preparesShowWarnings: false,
  changesReturnRows: false,
  preparesWithoutRunning: () => true,
  preparingRan: undefined,

  warningsQuestion: () => `SHOW WARNINGS LIMIT ${limits.warnings}`,
  tellsConversion: (code) => code === truncatedWrongValue,
  onlyWarnsInChange: () => false,
  convertsSilently: true,
  comparedAloud: (sql) => sql,

  plainQuestion: questionOfMysql,
};
