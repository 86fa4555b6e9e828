import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { makeFolder } from "./make-folder.ts";
import { packageFile, packageRoot } from "./paths.ts";

/** The files of the documentation page (`GET /docs`): those of viewer/, and the libraries that they use. */

/** By its name here: its package, and its path there. */
const libraries: Readonly<Record<string, [name: string, path: string]>> = {
  "swagger-ui-bundle.js": ["swagger-ui-dist", "swagger-ui-bundle.js"],
  "swagger-ui.css": ["swagger-ui-dist", "swagger-ui.css"],
  "oauth4webapi.js": ["oauth4webapi", "build/index.js"],
  // Both licences want their text beside the copy.
  "swagger-ui.license.txt": ["swagger-ui-dist", "LICENSE"],
  "swagger-ui.notice.txt": ["swagger-ui-dist", "NOTICE"],
  "swagger-ui-bundle.js.license.txt": ["swagger-ui-dist", "swagger-ui-bundle.js.LICENSE.txt"],
  "oauth4webapi.license.txt": ["oauth4webapi", "LICENSE.md"],
};

/** @returns the content of each file, by its name */
function readViewer(): [name: string, content: Buffer][] {
  const own = readdirSync(join(packageRoot, "viewer")).map(
    (name) => [name, join(packageRoot, "viewer", name)] as const,
  );
  const copied = Object.entries(libraries).map(
    ([name, [from, path]]) => [name, packageFile(from, path)] as const,
  );
  return [...copied, ...own].map(([name, path]) => [name, readFileSync(path)]);
}

/** @returns a digest of all files, which is the name of their folder */
export function viewerVersion(): string {
  const hash = createHash("sha256");
  for (const [name, content] of readViewer()) hash.update(`${name} ${content.length} `).update(content);
  return hash.digest("hex").slice(0, 16);
}

/**
 * Writes the files into the folder of wrangler.toml's `assets`. Their own folder has their digest
 * as its name, so a browser may keep each file for ever. A folder that is there already stays untouched, so
 * several builds may run at once.
 * @param version as `viewerVersion` gives it
 * @param assets the folder of wrangler's `assets`
 */
export function writeViewer(version: string, assets: string): void {
  const parent = join(assets, "docs");
  makeFolder(parent);
  if (!existsSync(join(parent, version))) {
    // Outside of the folder that is uploaded, until all files are there.
    const temporary = join(dirname(assets), `viewer.${process.pid}`);
    try {
      mkdirSync(temporary, { recursive: true });
      for (const [name, content] of readViewer()) writeFileSync(join(temporary, name), content);
      moveUnlessThere(temporary, join(parent, version));
    } catch (cause) {
      // The system does not say which file a full disk has no room for.
      throw Object.assign(cause as NodeJS.ErrnoException, { path: temporary });
    } finally {
      rmSync(temporary, { recursive: true, force: true });
    }
  }
  for (const other of readdirSync(parent)) {
    if (other !== version) rmSync(join(parent, other), { recursive: true, force: true });
  }
}

/** Another build may have been faster. */
function moveUnlessThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (cause) {
    if (!existsSync(to)) throw cause;
  }
}
