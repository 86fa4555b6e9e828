import { existsSync } from "node:fs";
import { dirname, extname, join, relative } from "node:path";
import { Stop } from "../command/errors.ts";

/** The two folders: that of Tidegate's own package, and that of the project which it serves. */

/** The file that makes a folder a project. */
export const projectFile = "tidegate.toml";

/** Tidegate's own files: its code, the TLS artifact, the Worker's wrangler.toml. */
export const packageRoot = join(import.meta.dirname, "../..");

/** @returns the path of a program from Tidegate's packages */
export function packageProgram(name: string): string {
  return join(packageRoot, "node_modules", ".bin", name);
}

/** @returns the path of one of Tidegate's own modules. @param path below `packageRoot`, without its extension */
export function packageModule(path: string): string {
  // TypeScript in the repository, JavaScript in the package.
  return join(packageRoot, `${path}${extname(import.meta.filename)}`);
}

let project: string | undefined;

/**
 * The folder of the gateway's configuration: the working directory, or the nearest one above it that has tidegate.toml.
 * In Tidegate's own repository it is sample/.
 * @throws Stop if there is none
 */
export function projectRoot(): string {
  project ??= findProject(process.cwd());
  return project;
}

function findProject(start: string): string {
  for (let directory = start; ; directory = dirname(directory)) {
    if (existsSync(join(directory, projectFile))) return directory;
    if (directory === dirname(directory)) break;
  }
  const sample = join(packageRoot, "sample");
  if (isInside(packageRoot, start) && existsSync(join(sample, projectFile))) return sample;
  throw new Stop(
    `There is no project here: neither ${start} nor a folder above it has ${projectFile}. Go to the project's folder first.`,
    2,
  );
}

function isInside(folder: string, path: string): boolean {
  return !relative(folder, path).startsWith("..");
}

/**
 * @returns the directory of all generated files. With another TIDEGATE_DIRECTORY a second gateway can run
 * beside the first.
 */
export function privateDirectory(): string {
  return process.env.TIDEGATE_DIRECTORY ?? join(projectRoot(), ".tidegate");
}
