import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { Stop } from "../command/errors.ts";

/** Where things lie: in the folder of Tidegate's own package, or in that of the project which it serves. */

/** Tidegate's own files: its code, the TLS artifact, examples. In its repository that is the project's folder too. */
export const packageRoot = join(import.meta.dirname, "../..");

/** @returns the path of a program that Tidegate's packages bring along */
export function packageProgram(name: string): string {
  return join(packageRoot, "node_modules", ".bin", name);
}

let project: string | undefined;

/**
 * The folder of the gateway's configuration: the working directory, or the nearest one above it that has wrangler.toml
 * and config/.
 * @throws Stop where there is none
 */
export function projectRoot(): string {
  project ??= findProject(process.cwd());
  return project;
}

function findProject(start: string): string {
  for (let directory = start; ; directory = dirname(directory)) {
    if (["wrangler.toml", "config"].every((name) => existsSync(join(directory, name)))) return directory;
    if (directory === dirname(directory)) break;
  }
  throw new Stop(
    `There is no project here: neither ${start} nor a folder above it has wrangler.toml and config/. Go to the project's folder first.`,
    2,
  );
}

/** @returns where policies lie, and in ca/ the CAs that they name */
export function configDirectory(): string {
  return join(projectRoot(), "config");
}

/** @returns where everything lies that is made; TIDEGATE_DIRECTORY lets a second gateway run beside the first */
export function privateDirectory(): string {
  return process.env.TIDEGATE_DIRECTORY ?? join(projectRoot(), ".tidegate");
}
