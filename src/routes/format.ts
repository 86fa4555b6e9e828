import Negotiator from "negotiator";
import type { Format, RowShape } from "../db/pool/protocol.ts";
import { contentTypes } from "../db/pool/protocol.ts";
import { TidegateError } from "../errors.ts";
import type { AppContext } from "./http.ts";
import { rowShape } from "./http.ts";

/** How an answer's rows are to be written. */
export interface AnswerForm {
  format: Format;
  shape: RowShape;
}

/** In the order in which they are taken where the caller has no preference. */
const every: readonly Format[] = ["json", "ndjson", "csv"];

/** CSV has one table: of a procedure, which may have several results, nobody knows before it is executed. */
const several: readonly Format[] = ["json", "ndjson"];

/**
 * @param verb the statement's
 * @returns what the caller asks for, with `Accept` and `?rows=`
 * @throws TidegateError `not_acceptable`, `parameter_invalid`
 */
export function answerForm(c: AppContext, verb: string): AnswerForm {
  return { format: negotiate(c, verb === "CALL" ? several : every), shape: rowShape(c) };
}

/** For what is answered as JSON alone. @throws TidegateError `not_acceptable` */
export function demandJson(c: AppContext): void {
  negotiate(c, ["json"]);
}

function negotiate(c: AppContext, available: readonly Format[]): Format {
  c.set("vary", "Accept");
  const format = chooseFormat(c.req.header("accept"), available);
  if (format) return format;
  const types = available.map((one) => contentTypes[one].split(";", 1)[0]).join(", ");
  throw new TidegateError("not_acceptable", { detail: `It can be had as ${types}.` });
}

/**
 * RFC 9110 §12.5.1. A parameter other than `q` must be one of the format's own.
 * @param accept no header, or an empty one: anything
 * @returns undefined when none will do
 */
export function chooseFormat(accept: string | undefined, available: readonly Format[]): Format | undefined {
  const negotiator = new Negotiator({ headers: { accept: accept || undefined } });
  const chosen = negotiator.mediaType(available.map((format) => contentTypes[format]));
  return available.find((format) => contentTypes[format] === chosen);
}
