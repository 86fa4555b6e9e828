import type { Engine } from "../../../servers/database/engines.ts";
import type { Meeting, MetColumn } from "./meeting-columns.ts";

/**
 * Comparisons with wrong rows that no server reports: it derives no types, and gives no warning.
 * docs/reference/values.md lists them. This list was measured on the servers themselves; the gateway must refuse all
 * other wrong comparisons.
 */
interface Untold {
  engines: readonly Engine[];
  /** Where MySQL derives no types. */
  onlyThroughHyperdrive?: true;
  of(meeting: Meeting): boolean;
}

const numeric: readonly MetColumn["kind"][] = ["number", "double", "bits", "year"];
const isNumber = ({ value }: Meeting) => value.kind !== "text";
const isBlank = ({ value }: Meeting) => value.kind === "text" && value.text.trim() === "";

const untold: readonly Untold[] = [
  {
    // A fraction is rounded to a year.
    engines: ["mysql", "mariadb", "tidb"],
    of: ({ column, value }) => column.kind === "year" && value.kind === "fraction",
  },
  {
    // The beginning of the text is the year, or an integer is the last possible year.
    engines: ["mariadb", "tidb"],
    of: ({ column }) => column.kind === "year",
  },
  {
    engines: ["mysql"],
    onlyThroughHyperdrive: true,
    of: ({ column }) => column.kind === "year",
  },
  {
    // Every text of these columns silently becomes a number.
    engines: ["mysql"],
    onlyThroughHyperdrive: true,
    of: (meeting) => /TEXT|BLOB/.test(meeting.column.sql) && isNumber(meeting),
  },
  {
    engines: ["mysql"],
    onlyThroughHyperdrive: true,
    of: ({ column, table, value }) =>
      value.kind === "fraction" &&
      (column.kind === "time" || (column.kind === "bits" && table === "met_keyed")),
  },
  {
    engines: ["mysql"],
    onlyThroughHyperdrive: true,
    of: ({ column, value }) => column.kind === "time" && value.kind === "text",
  },
  {
    // An empty text is 0.
    engines: ["tidb"],
    of: (meeting) => numeric.includes(meeting.column.kind) && isBlank(meeting),
  },
  {
    engines: ["mysql"],
    onlyThroughHyperdrive: true,
    of: (meeting) => numeric.includes(meeting.column.kind) && isBlank(meeting),
  },
  {
    // A key of BIT is looked up by the bytes of the text.
    engines: ["mariadb"],
    of: ({ table, column, value }) =>
      table === "met_keyed" && column.kind === "bits" && value.kind === "text",
  },
  {
    // With many digits both are a DOUBLE.
    engines: ["tidb"],
    of: ({ column, operator, value }) =>
      column.kind === "number" && operator === "between" && value.kind === "text" && value.text.length > 15,
  },
  {
    engines: ["tidb"],
    of: ({ column, value }) => column.kind === "time" && value.kind === "integer" && value.text.length > 6,
  },
  {
    // Beyond the last possible year.
    engines: ["mysql"],
    of: ({ column, value }) => column.kind === "year" && value.kind === "integer" && value.text.length > 4,
  },
  {
    // A time is read as a date of the year 2000.
    engines: ["mariadb", "tidb"],
    of: ({ column, value }) => column.kind === "date" && /^\d\d:\d\d:\d\d$/.test(value.text),
  },
  {
    // Texts that are not a time of day, and texts that are not a date at all.
    engines: ["mariadb"],
    of: ({ column, value }) =>
      value.kind === "integer" && ["time", "datetime"].includes(column.kind) && value.text.length > 6,
  },
];

/** @param way one of values-meet-columns.test.ts */
export function isUntold(engine: Engine, way: string, meeting: Meeting): boolean {
  return untold.some(
    ({ engines, onlyThroughHyperdrive, of }) =>
      engines.includes(engine) && (!onlyThroughHyperdrive || way === "hyperdrive") && of(meeting),
  );
}
