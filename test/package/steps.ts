import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../cli/project/paths.ts";

/** What the reader of a page does: types a line, or puts a text into a file. */
export type Step =
  | { line: string; section: string }
  | { file: string; text: string; append: boolean; section: string };

/** @returns the steps of a document, in order: the lines of its `sh` blocks, and its blocks with `title="FILE"` */
export function stepsOf(document: string): Step[] {
  const text = readFileSync(join(packageRoot, document), "utf8");
  return text.split(/^## /m).flatMap((part) => {
    const section = part.split("\n")[0] ?? "";
    return [...part.matchAll(/^```(\w+)([^\n]*)\n([\s\S]*?)^```/gm)].flatMap(
      ([, language, info = "", block = ""]): Step[] => {
        const [, file] = /title="([^"]+)"/.exec(info) ?? [];
        if (file !== undefined) return [{ file, text: block, append: / append\b/.test(info), section }];
        if (language !== "sh") return [];
        return block
          .trim()
          .split("\n")
          .map((line) => ({ line, section }));
      },
    );
  });
}
