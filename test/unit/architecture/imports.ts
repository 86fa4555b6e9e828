import { readdirSync, readFileSync } from "node:fs";
import { join, posix, relative, sep } from "node:path";

const source = join(import.meta.dirname, "..", "..", "..", "src");

export interface Import {
  /** The importing file, relative to src: `auth/verify.ts`. */
  from: string;
  /** The imported file, relative to src; a package's name or another specifier as it stands. */
  to: string;
  /** Whether `to` is a file of ours. */
  ours: boolean;
  /** Erased when the types are stripped. */
  typeOnly: boolean;
}

/** @returns the files of src, relative to it. */
export function sourceFiles(): string[] {
  return readdirSync(source, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => relative(source, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .sort();
}

export function readSource(file: string): string {
  return readFileSync(join(source, file), "utf8");
}

/** `import .. from ".."`, `export .. from ".."`, `import ".."`, `import("..")` and the type `import("..").X`. */
const forms =
  /(?:^|\n)\s*(?:import|export)\s+(type\s)?[^;"'`()]*?\bfrom\s*"([^"]+)"|(?:^|\n)\s*import\s+"([^"]+)"|\bimport\(\s*"([^"]+)"/g;

/** @returns what a file's text imports. */
export function importsOf(from: string, text: string): Import[] {
  return [...text.matchAll(forms)].map(([, type, named, bare, dynamic]) => {
    const specifier = named ?? bare ?? dynamic ?? "";
    const ours = specifier.startsWith(".");
    return {
      from,
      to: ours ? posix.join(posix.dirname(from), specifier) : specifier,
      ours,
      // A declaration file has nothing but types.
      typeOnly: type !== undefined || from.endsWith(".d.ts"),
    };
  });
}
