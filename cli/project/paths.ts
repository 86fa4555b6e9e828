import { existsSync, readFileSync, realpathSync } from "node:fs";
import { basename, dirname, extname, join, relative, resolve, sep } from "node:path";
import { Stop } from "../command/errors.ts";
import { generatedFolder } from "./make-folder.ts";

/** The two folders: that of Tidegate's own package, and that of the project which it serves. */

/** The file that makes a folder a project. */
export const projectFile = "tidegate.toml";

/** The folder of cli/, servers/ and src/: in the package that of their JavaScript, dist/. */
const codeRoot = join(import.meta.dirname, "../..");

/** Tidegate's own files: its code, the Worker's wrangler.toml, the page's files. */
export const packageRoot = existsSync(join(codeRoot, "package.json")) ? codeRoot : dirname(codeRoot);

/** Whether npm has installed this Tidegate: a project's Worker is then that of its own node_modules. */
export const isInstalled = packageRoot.split(sep).includes("node_modules");

/**
 * @param name of a package that Tidegate needs
 * @returns its folder, as Node finds it: npm may have put it beside Tidegate, or below it
 * @throws Error if it is not installed
 */
function dependency(name: string): string {
  const found = findDependency(name, packageRoot);
  if (found === undefined) throw new Error(`The package ${name} is not installed: run npm install.`);
  return found;
}

function findDependency(name: string, from: string): string | undefined {
  for (let directory = from; ; directory = dirname(directory)) {
    const path = join(directory, "node_modules", name);
    if (existsSync(join(path, "package.json"))) return path;
    if (directory === dirname(directory)) return undefined;
  }
}

/** @returns the path of a file in one of Tidegate's packages. @param path in the package */
export function packageFile(name: string, path: string): string {
  return join(dependency(name), path);
}

/** @returns the path of a program from Tidegate's packages. @param command if it is not the package's name */
export function packageProgram(name: string, command = name): string {
  const directory = dependency(name);
  const { bin } = readManifest(directory);
  return join(directory, typeof bin === "string" ? bin : (bin?.[command] ?? ""));
}

/** @returns the version of this Tidegate */
export function packageVersion(): string {
  return readManifest(packageRoot).version;
}

function readManifest(directory: string): { version: string; bin?: string | Record<string, string> } {
  return JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
}

/** @returns the path of one of Tidegate's own modules. @param path below `codeRoot`, without its extension */
export function packageModule(path: string): string {
  // TypeScript in the repository, JavaScript in the package.
  return join(codeRoot, `${path}${extname(import.meta.filename)}`);
}

/**
 * @param options with its dashes; may be empty
 * @returns how the user types a command: the scripts of Tidegate's repository are no scripts of a project
 */
export function typed(command: string, options = ""): string {
  const words = isInstalled ? `npx tidegate ${command} ${options}` : `npm run ${command} -- ${options}`;
  return words.replace(/(?: --)? $/, "").replace(/^npm run start$/, "npm start");
}

let project: string | undefined;

/**
 * The folder of the gateway's configuration: the working directory, or the nearest one above it that has tidegate.toml.
 * In Tidegate's own repository it is sample/.
 * @throws Stop if there is none
 */
export function projectRoot(): string {
  if (project === undefined) {
    const found = findProject(process.cwd());
    refuseOtherVersion(found);
    project = found;
  }
  return project;
}

/**
 * The Worker of a build is that of the project's package: the commands must be of the same version.
 * @throws Stop that says how to run the project's own
 */
function refuseOtherVersion(directory: string): void {
  if (!isInstalled) return;
  const found = findDependency("tidegate", directory);
  if (found === undefined)
    throw new Stop(`${directory} has no tidegate in node_modules: run npm install there.`);
  const [own, other] = [packageVersion(), readManifest(found).version];
  if (own === other) return;
  throw new Stop(
    `This is tidegate ${own}, and the project has ${other}: run npx tidegate in ${directory}, or npm install tidegate@${own} there.`,
  );
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
  const { TIDEGATE_DIRECTORY: own } = process.env;
  return withoutLinks(own ?? join(projectRoot(), generatedFolder));
}

/**
 * Names a folder without symbolic links. wrangler and workerd take paths like `../../x` from it, which lead
 * elsewhere through a link. (A CacheDirectory of systemd with DynamicUser is one.)
 * @param path may not exist yet: its folders that do are followed
 * @returns an absolute path
 */
export function withoutLinks(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const folder = dirname(resolve(path));
    return folder === resolve(path) ? folder : join(withoutLinks(folder), basename(path));
  }
}
