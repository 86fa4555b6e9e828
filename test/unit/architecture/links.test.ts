import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import { packageRoot } from "../../../cli/project/paths.ts";

const documents = [
  "README.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  "bench/README.md",
  "soak/README.md",
  ...readdirSync(join(packageRoot, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name)),
];

/** @returns the document without its code: a `#` or `](` there is neither a heading nor a link */
const proseOf = (text: string) => text.replace(/^(```+)[\s\S]*?^\1$/gm, "");

/** @returns the anchors of a document's headings, as GitHub makes them: a second one of a name gets `-1` */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of proseOf(text).matchAll(/^#{1,6} +(.*)$/gm)) {
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const slug = plain.replace(/[^\p{L}\p{N}\p{M} _-]/gu, "").replaceAll(" ", "-");
    let anchor = slug;
    for (let count = 1; anchors.has(anchor); count++) anchor = `${slug}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** @returns the targets of a document's links that lead to files of the project or into the document */
function targetsOf(text: string): string[] {
  const prose = proseOf(text).replace(/`[^`\n]*`/g, "");
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = ""]) => target)
    .filter((target) => !/^[a-z]+:/.test(target));
}

/** @returns what is wrong with a link, or undefined */
function mistake(document: string, target: string): string | undefined {
  const [path = "", anchor] = target.split("#");
  const file = path === "" ? document : relative(packageRoot, join(packageRoot, dirname(document), path));
  if (!existsSync(join(packageRoot, file))) return `${document}: no file ${target}`;
  if (anchor === undefined) return undefined;
  const isThere = anchorsOf(readFileSync(join(packageRoot, file), "utf8")).has(anchor);
  return isThere ? undefined : `${document}: no heading ${target}`;
}

describe("the documents", () => {
  test("have an anchor for each heading, as GitHub makes them", () => {
    const text =
      "# A `b_c`, d?\n\n## [Links](x.md) & more\n\n```sh\n# not one\n```\n\n## A b_c d\n### `a.b`: é\n";
    expect([...anchorsOf(text)]).toEqual(["a-b_c-d", "links--more", "a-b_c-d-1", "ab-é"]);
    expect(targetsOf("[a](b.md#c), [d](https://e), `[f](g.md)`, [h](#i)\n```\n[j](k)\n```\n")).toEqual([
      "b.md#c",
      "#i",
    ]);
  });

  test.each(documents)("%s: every link leads to a file and a heading that are there", (document) => {
    const targets = targetsOf(readFileSync(join(packageRoot, document), "utf8"));
    const mistakes = targets.map((target) => mistake(document, target));
    expect(mistakes.filter((one) => one !== undefined)).toEqual([]);
  });

  test("have many links", () => {
    const all = documents.flatMap((name) => targetsOf(readFileSync(join(packageRoot, name), "utf8")));
    expect(all.length).toBeGreaterThan(100);
  });
});

describe("the lists of documents", () => {
  const pages = documents.filter((name) => name.startsWith("docs/"));
  const llms = readFileSync(join(packageRoot, "llms.txt"), "utf8");
  const entries = [...llms.matchAll(/^- \[[^\]]+\]\(([^)]+)\)(.*)$/gm)].map(([, path = "", rest = ""]) => ({
    path,
    rest,
  }));

  test("llms.txt has the form of its convention: a heading, a summary, sections of links", () => {
    expect(llms).toMatch(/^# \S.*\n\n(> .+\n)+\n/);
    const [, ...sections] = llms.split(/^## /m);
    for (const section of sections) expect(section).toMatch(/^\S.*\n\n(- \[[^\]]+\]\([^)]+\): .+\n)+\n?$/);
  });

  test("llms.txt has every document once, and nothing that is not there", () => {
    expect(entries.map(({ path }) => path).sort()).toEqual([...documents].sort());
  });

  test("README.md leads to every document, in the same order", () => {
    const linked = targetsOf(readFileSync(join(packageRoot, "README.md"), "utf8"));
    const [, table = ""] = readFileSync(join(packageRoot, "README.md"), "utf8").split("## Documents\n");
    expect(pages.filter((page) => !linked.includes(page))).toEqual([]);
    expect(targetsOf(table).filter((target) => pages.includes(target))).toEqual(
      entries.map(({ path }) => path).filter((path) => pages.includes(path)),
    );
  });
});
