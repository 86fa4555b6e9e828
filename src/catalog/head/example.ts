/** `@example {JSON} [text]`: parameters that the query accepts, for its documentation. */

import { faultsIn } from "../parameters.ts";
import type { Example, Parameter } from "../saved-query.ts";
import type { Report } from "../source.ts";
import type { Line } from "./line.ts";

/** An example, and the position of its parameters in the file. */
export interface PlacedExample extends Example {
  offset: number;
}

export function readExample(line: Line, report: Report): PlacedExample | undefined {
  const { offset } = line;
  const value = line.takeJson()?.value;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    report(
      offset,
      'An example has the parameters as a JSON object, on one line: @example {"country": "NZ"} Text',
    );
    return undefined;
  }
  if (line.peek() === "-") line.take();
  return { description: line.rest().text, parameters: value as Record<string, unknown>, offset };
}

/** Reports an example that the query would refuse. */
export function checkExample(
  { parameters, offset }: PlacedExample,
  declared: readonly Parameter[],
  report: Report,
): void {
  for (const { detail } of faultsIn(declared, parameters))
    report(offset, `The example does not fit. ${detail}`);
}
