import type { QueryFile } from "../../../src/catalog/parse.ts";
import { parseCatalog } from "../../../src/catalog/parse.ts";
import type { SavedQuery } from "../../../src/catalog/saved-query.ts";

/** Temporary: reads the lines of a head that the catalog does not know yet. */
export function parseWithHeads(files: readonly QueryFile[]): SavedQuery[] {
  return files.flatMap(({ name, text }) => {
    const more: Partial<SavedQuery> = {};
    const rest = text.split("\n").filter((line) => {
      const [, tag, value = ""] = /^-- @(result|page|deadline_ms|max_rows|cache) (.*)$/.exec(line) ?? [];
      if (tag === "result") more.result = value as "many";
      else if (tag === "deadline_ms") more.deadlineMs = Number(value);
      else if (tag === "max_rows") more.maxRows = Number(value);
      else if (tag === "cache") more.cache = { maxAgeSeconds: Number(value) };
      else if (tag === "page") {
        const [, kind, list = "", size, most] =
          /^(keyset|offset) ?(.*?) ?size (\d+) max (\d+)$/.exec(value) ?? [];
        const keys = list
          .split(", ")
          .filter(Boolean)
          .map((one) => {
            const [column = "", way] = one.split(" ");
            return { column, descending: way === "desc" };
          });
        more.page = { kind: kind as "keyset", keys, size: Number(size), sizeCeiling: Number(most) };
      } else return true;
      return false;
    });
    return parseCatalog([{ name, text: rest.join("\n") }]).map((query) => ({ ...query, ...more }));
  });
}
