import { posix } from "node:path";

/** File → the files that it imports or reads, all relative to the project's folder. */
export type Imports = ReadonlyMap<string, readonly string[]>;

/** Types are erased before a test runs, so they do not affect it. */
const typesOnly = /\b(?:import|export) type [^"';=]*\bfrom "[^"]*"/g;
const literal = /"([^"\n]+)"/g;
/** The Worker from which a test's gateway starts (test/gateway/support/harness.ts). */
const entry = /\bentry: "(\w+)"/g;

/** Files that every gateway test needs without naming them. */
const everyTestNeeds = ["test/gateway/support/setup.ts", "vitest.config.ts", "package-lock.json"];

/**
 * What a test, or a file that tests import, needs of the project: every file that one of its strings names. `"../ask.ts"` is
 * an import of any form, and `"links.md"` is how a test reads a document. A string that only looks like a name selects
 * a test too many, never one too few.
 * @param from the file, relative to the project's folder
 * @param files every file of the project
 */
export function namedFiles(from: string, text: string, files: readonly string[]): string[] {
  const code = text.replace(typesOnly, "");
  const specifiers = [...code.matchAll(literal)].map(([, string = ""]) => string);
  const entries = [...code.matchAll(entry)].map(([, name]) => `entries/${name}.ts`);
  const named = new Set<string>();
  for (const specifier of [...specifiers, ...entries]) {
    if (!/\.\w+$/.test(specifier)) continue;
    if (specifier.startsWith(".")) {
      const path = posix.join(posix.dirname(from), specifier);
      if (files.includes(path)) named.add(path);
    } else {
      for (const file of files) if (file === specifier || file.endsWith(`/${specifier}`)) named.add(file);
    }
  }
  return [...named];
}

/**
 * Finds what the tests and all their imports need. Unit tests are left out, since all of them run. Files of
 * src are left out, since rooms.ts says which tests belong to them.
 * @param read returns a file's text
 */
export function readImports(files: readonly string[], read: (file: string) => string): Imports {
  const imports = new Map<string, readonly string[]>();
  for (const file of files) {
    if (!/^(?:test|servers|cli)\/.*\.ts$/.test(file) || file.startsWith("test/unit/")) continue;
    const ofEvery = file.startsWith("test/gateway/") && file.endsWith(".test.ts") ? everyTestNeeds : [];
    imports.set(file, [...namedFiles(file, read(file), files), ...ofEvery]);
  }
  return imports;
}

/**
 * The files that need this one, directly or through others.
 * @returns file → number of steps; 0 for the file itself
 */
export function importersOf(file: string, imports: Imports): Map<string, number> {
  const steps = new Map([[file, 0]]);
  // The iteration of a Map also visits entries that are added meanwhile.
  for (const [near, distance] of steps) {
    for (const [importer, needs] of imports) {
      if (needs.includes(near) && !steps.has(importer)) steps.set(importer, distance + 1);
    }
  }
  return steps;
}
