import { existsSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { readJson } from "../../servers/files.ts";
import { packageRoot, packageVersion } from "../project/paths.ts";

interface InstalledPackages {
  packages?: Record<string, { resolved?: string } | undefined>;
}

/**
 * npm writes where each package came from into node_modules/.package-lock.json, also in npx's own folder.
 * @param project the new project's folder
 * @returns what npm must install there to have this Tidegate: its version, or the tarball that it was installed from
 */
export function packageSpec(project: string): string {
  const modules = dirname(packageRoot);
  const installed = readJson<InstalledPackages>(join(modules, ".package-lock.json"));
  const { resolved = "" } = installed?.packages?.["node_modules/tidegate"] ?? {};
  if (!resolved.startsWith("file:")) return packageVersion();
  const tarball = resolve(dirname(modules), resolved.slice("file:".length));
  if (!existsSync(tarball)) return packageVersion();
  return `file:${relative(project, tarball).replaceAll(sep, "/")}`;
}
