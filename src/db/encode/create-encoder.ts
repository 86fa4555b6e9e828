import { CsvEncoder } from "./csv.ts";
import type { Format } from "./formats.ts";
import { JsonEncoder } from "./json.ts";
import { NdjsonEncoder } from "./ndjson.ts";
import type { Encoder, RowShape } from "./types.ts";

/** @param several whether the answer may have several result sets or none, as for a CALL */
export function createEncoder(format: Format, shape: RowShape, several: boolean): Encoder {
  switch (format) {
    case "json":
      return new JsonEncoder(shape, several);
    case "ndjson":
      return new NdjsonEncoder(shape);
    case "csv":
      return new CsvEncoder();
  }
}
