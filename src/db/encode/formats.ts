/** The formats of answers, with their media types and parameters. */
export const contentTypes = {
  json: "application/json; charset=utf-8",
  ndjson: "application/x-ndjson; charset=utf-8",
  /** RFC 4180 §3. */
  csv: "text/csv; charset=utf-8; header=present",
} as const;

export type Format = keyof typeof contentTypes;
