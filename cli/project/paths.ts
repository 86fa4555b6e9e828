import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { Stop } from "../command/errors.ts";

/** The two folders: that of Tidegate's own package, and that of the project which it serves. */

/**
 * Tidegate's own files: its code, the TLS artifact, examples. In Tidegate's repository this is also the
 * project's folder.
 */
export const packageRoot = join(import.meta.dirname, "../..");

/** @returns the path of a program from Tidegate's packages */
export function packageProgram(name: string): string {
  return join(packageRoot, "node_modules", ".bin", name);
}

let project: string | undefined;

/**
 * The folder of the gateway's configuration: the working directory, or the nearest one above it that has
 * wrangler.toml and config/.
 * @throws Stop if there is none
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

/** @returns the directory of the policies; its ca/ has their CAs */
export function configDirectory(): string {
  return join(projectRoot(), "config");
}

/**
 * @returns the directory of all generated files. With another TIDEGATE_DIRECTORY a second gateway can run
 * beside the first.
 */
export function privateDirectory(): string {
  return process.env.TIDEGATE_DIRECTORY ?? join(projectRoot(), ".tidegate");
}
