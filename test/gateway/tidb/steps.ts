import { readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../../cli/project/paths.ts";

/** A step of a document, with its own heading. */
export interface Step {
  title: string;
  /** @returns its code blocks of a language, in order */
  of(language: string): string[];
}

/** @returns the parts of a section of docs/guides/links.md; the first part is the text before the first step */
export function readSteps(heading: RegExp): Step[] {
  const [, rest = ""] = readFileSync(join(packageRoot, "docs", "guides", "links.md"), "utf8").split(heading);
  const [section = ""] = rest.split(/^## /m);
  return section.split(/^### /m).map((text) => {
    const blocks = [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)];
    const of = (language: string) =>
      blocks.filter(([, found]) => found === language).map(([, , block = ""]) => block.trim());
    return { title: text.split("\n")[0] ?? "", of };
  });
}
