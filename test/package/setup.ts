import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { packageRoot } from "../../cli/project/paths.ts";
import { mustRun } from "./run.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The package as `npm pack` makes it. */
    packed: Packed;
  }
}

export interface Packed {
  /** A folder for everything, outside of the repository. */
  home: string;
  tarball: string;
  /** The same files with another version. */
  newer: string;
  newerVersion: string;
  /** The tarball's files, unpacked. */
  unpacked: string;
}

/** Packs once for all files. */
export default function setup(project: TestProject): () => void {
  const home = mkdtempSync(join(tmpdir(), "tidegate-package-"));
  const remove = () => rmSync(home, { recursive: true, force: true, maxRetries: 3 });
  try {
    project.provide("packed", pack(home));
  } catch (cause) {
    remove();
    throw cause;
  }
  return remove;
}

function pack(home: string): Packed {
  // npx keeps what it has installed beside the cache of all packages: only the latter is shared.
  const cache = mustRun("npm", ["config", "get", "cache"], packageRoot).trim();
  mkdirSync(join(home, "npm"));
  symlinkSync(join(cache, "_cacache"), join(home, "npm", "_cacache"));
  const packInto = (directory: string, from: string, ...options: string[]) => {
    const printed = mustRun("npm", ["pack", "--silent", "--pack-destination", directory, ...options], from);
    // What prepack prints stands above.
    return join(directory, printed.trim().split("\n").at(-1) ?? "");
  };
  const tarball = packInto(home, packageRoot);
  mustRun("tar", ["-xzf", tarball, "-C", home], home);
  const unpacked = join(home, "package");
  const copy = join(home, "newer");
  cpSync(unpacked, copy, { recursive: true });
  const manifest = JSON.parse(readFileSync(join(copy, "package.json"), "utf8"));
  const newerVersion = manifest.version.replace(/\d+$/, (patch: string) => String(Number(patch) + 1));
  writeFileSync(join(copy, "package.json"), JSON.stringify({ ...manifest, version: newerVersion }));
  return { home, tarball, unpacked, newerVersion, newer: packInto(home, copy, "--ignore-scripts") };
}
