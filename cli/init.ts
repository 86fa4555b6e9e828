import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { declare } from "./command/declare.ts";
import { Stop } from "./command/errors.ts";
import type { PackageFile } from "./init/package-file.ts";
import { packageFile, packageName } from "./init/package-file.ts";
import { packageSpec } from "./init/package-spec.ts";
import { refuseFilesInTheWay, writeProject } from "./init/write.ts";
import { packageRoot } from "./project/paths.ts";

export const declaration = declare(
  "init",
  "Writes a project: its environments, a first query, a test and package.json. It overwrites no file.",
).argument("<directory>", "the project's folder, new or empty; . is this one");

export function run(_options: object, [word = ""]: string[]): undefined {
  const directory = resolve(word);
  refuseFilesInTheWay(directory);
  const found = readPackageFile(join(directory, "package.json"));
  const name = found?.name ?? packageName(basename(directory));
  const files = { ...readTemplate(name), "package.json": manifestText(directory, found, name) };
  writeProject(directory, files);
  const from = relative(process.cwd(), directory);
  const next = [
    ...(from === "" ? [] : [`cd ${from.includes(" ") ? `'${from}'` : from}`]),
    ...(existsSync(join(directory, "node_modules", "tidegate")) ? [] : ["npm install"]),
    "npm start",
  ];
  console.log(`Written: ${Object.keys(files).sort().join(", ")}`);
  console.log(`Next:\n${next.map((line) => `  ${line}`).join("\n")}`);
}

function manifestText(directory: string, found: PackageFile | undefined, name: string): string {
  return `${JSON.stringify(packageFile(found, name, packageSpec(directory)), null, 2)}\n`;
}

/** @throws Stop if there is such a file and it cannot be read */
function readPackageFile(path: string): PackageFile | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    throw new Stop(`${path} is not JSON that can be read: correct or remove it.`, 2);
  }
}

/** @returns the text of each file of template/, by its path in a project */
function readTemplate(name: string): Record<string, string> {
  const root = join(packageRoot, "template");
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return Object.fromEntries(
    files.map((file) => {
      const path = join(file.parentPath, file.name);
      // npm packs no file with this name.
      const own = relative(root, path).replace(/^gitignore$/, ".gitignore");
      return [own, readFileSync(path, "utf8").replaceAll("{{name}}", name)];
    }),
  );
}
