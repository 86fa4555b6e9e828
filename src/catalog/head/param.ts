/** `@param NAME TYPE[[]] [options in any order] [- ][text]`: a parameter that the caller may send. */

import { isValueType, type ValueType, valueTypes } from "../../sql/declared-types.ts";
import type { Parameter } from "../saved-query.ts";
import type { Report } from "../source.ts";
import type { Line, Word } from "./line.ts";
import { type Options, optionNames, readOptions } from "./options.ts";
import { checkTogether } from "./together.ts";

/** Like the name of a placeholder, but without dots. */
const parameterName = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/;

/** The names in the URL of a query that no parameter may have, each with its use. */
export const reservedNames: ReadonlyMap<string, string> = new Map([
  ["rows", "sets the format of the answer"],
  ["cursor", "asks for a page"],
  ["page_size", "asks for a page"],
  ["total", "asks for the number of all rows"],
]);

/**
 * @param line behind the name
 * @returns the parameter; undefined if its declaration has a mistake
 */
export function readParameterLine(name: Word, line: Line, report: Report): Parameter | undefined {
  let isGood = true;
  const wrong: Report = (offset, message) => {
    isGood = false;
    report(offset, message);
  };
  checkName(name, wrong);
  const { offset, text: declared } = line.take();
  const list = declared.endsWith("[]");
  const type = list ? declared.slice(0, -2) : declared;
  if (!isGood) return undefined;
  if (!isValueType(type)) {
    const choice = `one of ${valueTypes.join(", ")}, or an array of one, such as integer[]`;
    wrong(offset, `The type of ${name.text} must be ${choice}.`);
    return undefined;
  }
  const options = readOptions({ name: name.text, type, list }, line, wrong);
  const description = isGood ? readText(line, wrong) : "";
  if (!isGood) return undefined;
  const parameter = parameterOf(name.text, { type, list }, options, description);
  checkTogether(parameter, options, wrong);
  return isGood ? parameter : undefined;
}

function checkName({ text, offset }: Word, wrong: Report): void {
  if (!parameterName.test(text)) {
    wrong(
      offset,
      "A parameter's name must be a letter or _, then letters, digits or _, at most 63 in all; a claim of the token is declared with @claim.",
    );
  }
  const use = reservedNames.get(text);
  if (use !== undefined) wrong(offset, `No parameter can be called ${text}: ?${text}= ${use}.`);
}

/** What looks like an option in a text was meant as one, and would be lost. */
const option = /(?:^|\s)(?:default|min|max|length|items)\s+(?:-?\d|\.\.|")|(?:^|\s)(?:enum\s+\[|pattern\s+")/;

/** A word with a value, where an option may stand: `lenght 1..40`, `max_length 40`. It would be lost in the text. */
const noOption = /^([a-z]\w*)\s+(?:-?\d|\.\.\d|"|\[)/;

/** The text begins at the first word that is no option, or behind `- `. */
function readText(line: Line, wrong: Report): string {
  const isMarked = line.peek() === "-";
  if (isMarked) line.take();
  const { text, offset } = line.rest();
  const found = isMarked ? null : option.exec(text);
  if (found !== null) {
    wrong(
      offset + found.index + (/^\s/.test(found[0]) ? 1 : 0),
      "This option stands in the text, where it has no effect: write the options before the text. If it is text, write - before the text.",
    );
  }
  const unknown = isMarked ? null : noOption.exec(text);
  if (unknown !== null && found?.index !== 0) {
    wrong(
      offset,
      `${unknown[1]} is no option: there are ${optionNames.join(", ")}. If it is text, write - before the text.`,
    );
  }
  return text;
}

function parameterOf(
  name: string,
  { type, list }: { type: ValueType; list: boolean },
  { default: fallback, enum: values, min, max, length, pattern, items }: Options,
  description: string,
): Parameter {
  return {
    name,
    type,
    ...(list && { list: true as const }),
    required: fallback === undefined,
    ...(fallback && { default: fallback.value }),
    ...(values && { enum: values.value }),
    ...(min && { min: min.value }),
    ...(max && { max: max.value }),
    ...(length && { length: length.value }),
    ...(pattern && { pattern: pattern.value.source, automaton: pattern.value.automaton }),
    ...(items && { items: items.value }),
    description,
  };
}
