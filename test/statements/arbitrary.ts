import fc from "fast-check";

/** Pieces that are hard for lexers. */
const pieces = [
  ..."SELECT|INSERT|INTO|DELETE|WITH|x AS (|OUTFILE|FOR UPDATE|CREATE|PROCEDURE|p()|TRIGGER|EXPLAIN|ANALYZE|SET|DO".split(
    "|",
  ),
  ..."'|\"|`|\\|''|\\'|/*|*/|/*!|/*+|/*M!|/*T!|--|-- |#|\n|\r\n|\0|;|(|)|,|.|?|:|:=|:a|:jwt.sub|@|@@|@a".split(
    "|",
  ),
  ..."0|1|0x|1e|1e5|.5|x'|b'|N'|_utf8mb4|$|$$|é|列|😀|\u00a0|\u2028|\ufeff|a|b1|=|<|-|*|/|!|[|{".split("|"),
];

/** Texts that look like SQL, and other texts. */
export const sqlish = fc.oneof(
  fc.array(fc.constantFrom(...pieces), { maxLength: 30 }).map((parts) => parts.join("")),
  fc.array(fc.constantFrom(...pieces), { maxLength: 30 }).map((parts) => parts.join(" ")),
  fc.string({ unit: "binary", maxLength: 40 }),
);
