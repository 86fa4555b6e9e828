import Negotiator from "negotiator";
import type { Format } from "../db/encode/formats.ts";
import { contentTypes } from "../db/encode/formats.ts";
import type { RowShape } from "../db/encode/types.ts";
import { TidegateError } from "../errors.ts";
import type { AppContext } from "./context.ts";
import { rowShape } from "./http.ts";
import type { MediaType } from "./media-type.ts";
import { isUtf8, readMediaTypes } from "./media-type.ts";
import { keptHeaders, memoized } from "./memoized.ts";

/** The form of an answer's rows. */
export interface AnswerForm {
  format: Format;
  shape: RowShape;
}

/** In the order of choice for a caller without a preference. */
const every = Object.keys(contentTypes) as Format[];

/**
 * Formats for a procedure. It may have several results, which are unknown before the execution, and CSV has
 * one table.
 */
const several: readonly Format[] = ["json", "ndjson"];

/**
 * @param verb the statement's verb
 * @returns the form that the caller asks for with `Accept` and `?rows=`
 * @throws TidegateError `not_acceptable`, `parameter_invalid`
 */
export function answerForm(c: AppContext, verb: string): AnswerForm {
  return { format: verb === "CALL" ? negotiate(c, ofSeveral) : negotiate(c, ofEvery), shape: rowShape(c) };
}

/** For answers that are always JSON. @throws TidegateError `not_acceptable` */
export function demandJson(c: AppContext): void {
  negotiate(c, ofJson);
}

/** Formats to choose from, and the choices that were made. */
interface Choice {
  available: readonly Format[];
  choose: (accept: string) => ChosenFormat | undefined;
}

const [ofEvery, ofSeveral, ofJson] = [every, several, ["json"] as const].map(
  (available): Choice => ({
    available,
    choose: memoized((accept) => chooseFormat(accept, available), keptHeaders),
  }),
) as [Choice, Choice, Choice];

function negotiate(c: AppContext, { available, choose }: Choice): Format {
  c.vary = "Accept";
  const chosen = choose(c.header("accept") ?? "");
  if (chosen) {
    if (chosen.mediaType !== contentTypes[chosen.format]) c.mediaType = chosen.mediaType;
    return chosen.format;
  }
  const types = available.map((one) => contentTypes[one].split(";", 1)[0]).join(", ");
  throw new TidegateError("not_acceptable", { detail: `It can be had as ${types}.` });
}

/** Other names of NDJSON. A caller who names one gets the answer with that name. */
const ndjsonNames = ["ndjson", "jsonl", "x-jsonl", "jsonlines", "x-jsonlines"].map(
  (name) => `application/${name}`,
);

export interface ChosenFormat {
  format: Format;
  /** The name that the caller accepts, with its parameters. */
  mediaType: string;
}

/**
 * Chooses a format by RFC 9110 §12.5.1. A parameter that a format does not have (`odata=verbose`, an old
 * `level=1`) is ignored. `charset`, and `header` of a text, must be the format's own.
 * @param accept the header; a missing or empty one accepts anything
 * @returns undefined if no format is acceptable
 */
export function chooseFormat(
  accept: string | undefined,
  available: readonly Format[],
): ChosenFormat | undefined {
  const ranges = readMediaTypes(accept || "*/*");
  const named = ndjsonNames.filter((name) => ranges.some(({ type }) => type === name));
  const offered = available.flatMap((format): ChosenFormat[] => [
    { format, mediaType: contentTypes[format] },
    ...(format === "ndjson" ? named.map((name) => ({ format, mediaType: `${name}; charset=utf-8` })) : []),
  ]);
  const negotiator = new Negotiator({ headers: { accept: ranges.map(essential).join(",") } });
  const chosen = negotiator.mediaType(offered.map(({ mediaType }) => mediaType));
  return offered.find(({ mediaType }) => mediaType === chosen);
}

/** @returns the range with only the parameters for the choice, as a header */
function essential({ type, parameters }: MediaType): string {
  const kept = parameters.flatMap(([name, value]) => {
    if (name === "charset") return [[name, isUtf8(value) ? "utf-8" : value]];
    return name === "q" || (name === "header" && type.startsWith("text/")) ? [[name, value]] : [];
  });
  const texts = kept.map(([name, value]) => `;${name}=${JSON.stringify(value)}`);
  return type + texts.join("");
}
