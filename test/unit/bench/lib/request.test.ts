import { expect, test } from "vitest";
import type { ExpectedAnswer } from "../../../../bench/lib/request.ts";
import { isExpected } from "../../../../bench/lib/request.ts";

test.each<[string, ExpectedAnswer, boolean]>([
  ['{"rows":[1]}', '{"rows":[1]}', true],
  ['{"rows": [1]}', '{"rows":[1]}', false],
  ['{"rows_affected":1,"info":"x"}', { rows_affected: 1 }, true],
  ['{"rows_affected":1,"rows_changed":0}', { rows_affected: 1, rows_changed: 1 }, false],
  ['{"rows_affected":"1"}', { rows_affected: 1 }, false],
  ['{"rows":[]}', { rows_affected: 1 }, false],
  ['{"rows":[],"warnings":[]}', { rows: [] }, true],
  ["", { rows_affected: 1 }, false],
  ["null", { rows_affected: 1 }, false],
])("%j is what %j expects: %s", (answer, expected, is) => {
  expect(isExpected(answer, expected)).toBe(is);
});
