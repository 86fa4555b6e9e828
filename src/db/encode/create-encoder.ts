import { CsvEncoder } from "./csv.ts";
import type { Format } from "./formats.ts";
import { JsonEncoder } from "./json.ts";
import { JsonCountsEncoder, JsonRowEncoder } from "./json-result.ts";
import { NdjsonEncoder } from "./ndjson.ts";
import type { Encoder, ResultKind, RowShape } from "./types.ts";

/**
 * @param several whether the answer may have several result sets or none, as for a CALL
 * @param result changes the form of JSON only: the other formats are read row by row
 */
export function createEncoder(
  format: Format,
  shape: RowShape,
  several: boolean,
  result?: ResultKind,
): Encoder {
  switch (format) {
    case "json":
      if (result === "one") return new JsonRowEncoder(shape);
      if (result === "exec") return new JsonCountsEncoder();
      return new JsonEncoder(shape, several);
    case "ndjson":
      return new NdjsonEncoder(shape);
    case "csv":
      return new CsvEncoder();
  }
}
