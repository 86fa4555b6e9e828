/** package.json of a new project; pure. */

export interface PackageFile {
  name?: string;
  scripts?: Record<string, string>;
  dependencies?: Record<string, string>;
  allowScripts?: Record<string, boolean>;
  [key: string]: unknown;
}

const scripts = {
  start: "tidegate start",
  test: "node --test test/*.test.mjs",
  check: "tidegate check",
  generate: "tidegate generate",
  serve: "tidegate serve",
  deploy: "tidegate deploy",
};

/**
 * npm 11 asks the root project which of its packages may run their install scripts. These two put their programs in
 * place; the third one only sends statistics.
 */
const allowScripts = { esbuild: true, workerd: true, "@scarf/scarf": false };

/** `npm init` writes this, which is no test. */
const noTest = 'echo "Error: no test specified" && exit 1';

/**
 * @param found the project's own file, which keeps all that it has; undefined if there is none
 * @param name for a file without one
 * @param spec what npm installs as `tidegate`: a version, or the file of a tarball
 */
export function packageFile(found: PackageFile | undefined, name: string, spec: string): PackageFile {
  const { test, ...own } = found?.scripts ?? {};
  return {
    ...(found ?? { name, private: true, type: "module" }),
    scripts: { ...scripts, ...own, ...(test === undefined || test === noTest ? {} : { test }) },
    dependencies: { tidegate: spec, ...found?.dependencies },
    allowScripts: { ...allowScripts, ...found?.allowScripts },
  };
}

/** @returns a folder's name in the form of a package's */
export function packageName(folder: string): string {
  const words = folder.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  return words.replace(/^-+|-+$/g, "").slice(0, 60) || "gateway";
}
