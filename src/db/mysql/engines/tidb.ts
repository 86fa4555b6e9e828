import { limits } from "../../../limits.ts";
import type { BoundValue } from "../../../sql/bound-value.ts";
import { runsNothingWhenPrepared } from "../../../sql/prepared-ahead.ts";
import { utf8mb4Of } from "./collation.ts";
import type { Dialect } from "./dialect.ts";
import { questionOfTidb } from "./plain.ts";
import { truncatedWrongValue } from "./server-errors.ts";

export const tidb: Dialect = {
  serverId: "@@hostname",
  proxyUser: "NULL",
  serverReadOnly: "NULL",
  serverStart: undefined,
  sharesIds: (control, other) => control.serverId === other.serverId || isGlobalId(other.connectionId),
  asksPrivileges: true,

  defaultSqlMode:
    "ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION",
  databaseCollation: utf8mb4Of("@@collation_database", "@@default_collation_for_utf8mb4"),
  sessionAssignments: [],
  restingAssignments: ({ longestDeadlineMs }) => [
    `SESSION max_execution_time = ${longestDeadlineMs + limits.leftRunningMs}`,
  ],
  restsWithDeadline: true,
  transactionAssignments: (deadlineMs) => [
    `SESSION max_execution_time = ${Math.ceil(deadlineMs)}`,
    // An earlier transaction on this connection may have left its count of warnings.
    `${warningsCounter(0)} = NULL`,
  ],
  enforcesReadOnly: false,
  rolesHaveHosts: true,

  restoring: (state, use) => [state, use],
  resetKeepsXa: false,
  resetChangesPacketLimit: true,

  derivesTypes: false,
  preparesShowWarnings: true,
  changesReturnRows: false,
  preparesWithoutRunning: runsNothingWhenPrepared,
  preparingRan: "SELECT LAST_INSERT_ID() <> 0 OR RELEASE_ALL_LOCKS() <> 0 AS ran",

  warningsQuestion: (number) => {
    const counter = warningsCounter(number);
    return `SHOW WARNINGS WHERE (${counter} := IFNULL(${counter}, 0) + 1) <= ${limits.warnings + 1}`;
  },
  tellsConversion: (code, message) =>
    code === truncatedWrongValue ? !rounded.test(message) : taken.test(message),
  onlyWarnsInChange: (values) => values.some(isEmptyText),
  convertsSilently: false,
  comparedAloud: (sql) => sql,

  plainQuestion: questionOfTidb,
};

/**
 * Ids are unique in the cluster if they contain a server's number (pkg/util/globalconn): in bits 21 to 31 of
 * an even id, in bits 41 to 62 of an odd one. With `enable-global-kill = false` ids are counters, and every
 * server counts from 1.
 */
function isGlobalId(connectionId: string): boolean {
  const id = BigInt(connectionId);
  return id % 2n === 0n ? id >= 1n << 21n && id < 1n << 32n : id >= 1n << 41n;
}

/** @returns the variable that counts the warnings of a query */
function warningsCounter(number: number): string {
  return `@tidegate_warnings_${number}`;
}

/** 1105: for a text that TiDB looks up among dates, and for an empty text that it takes for 0 in a change. */
const taken =
  /^Incorrect (?:date|datetime|timestamp|time) value: |^skip prepared plan-cache: '' may be converted/;

/** 1292 for a rounded DECIMAL, which is not a text. */
const rounded = /\bDECIMAL\b value: '-?[\d.]+'$/;

function isEmptyText({ undeclared, value }: BoundValue): boolean {
  return undeclared === true && value === "";
}
