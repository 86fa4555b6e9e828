/** A column definition; flags and types as in the MySQL manual, Protocol::ColumnDefinition41. */
export interface Field {
  name: string;
  columnType: number;
  flags: number | string[];
  characterSet: number;
  /** Digits of the seconds' fraction. A number above 6 means that the server does not tell. */
  decimals: number;
  extendedFormat?: string;
  /** Reads a text of the binary protocol that is not UTF-8. Undefined if it is. */
  decode?: (from: { bytes: Uint8Array }, start: number, end: number) => string;
}
