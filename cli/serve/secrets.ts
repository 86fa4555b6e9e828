import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { Stop } from "../command/errors.ts";

/**
 * Finds the secrets of an environment. For each, the first of these counts: the variable NAME; the file that the variable
 * NAME_FILE names; the file NAME in the folder of systemd's credentials; the line NAME=... of .dev.vars.ENVIRONMENT. A
 * file's last line break is not part of the secret.
 * @param names of the secrets
 * @param environment variables of this process
 * @param localFile path of .dev.vars.ENVIRONMENT
 * @throws Stop with a line for each secret that is missing, empty or unreadable
 */
export function findSecrets(
  names: readonly string[],
  environment: NodeJS.ProcessEnv,
  localFile: string,
): Record<string, string> {
  let lines: NodeJS.Dict<string> | undefined;
  // The file may be closed to this user, and all secrets elsewhere.
  const local = () => {
    lines ??= parseEnv(read(localFile, "It has the secrets", { optional: true }) ?? "");
    return lines;
  };
  const mistakes: string[] = [];
  const found: Record<string, string> = {};
  for (const name of names) {
    try {
      const value = find(name, environment) ?? local()[name];
      if (value === undefined) mistakes.push(missing(name, localFile));
      else if (value === "") mistakes.push(`The secret ${name} is empty.`);
      // No environment variable can have it.
      else if (value.includes("\0"))
        mistakes.push(`The secret ${name} has a NUL byte: save the file as UTF-8.`);
      else found[name] = value;
    } catch (cause) {
      if (!(cause instanceof Stop)) throw cause;
      mistakes.push(cause.message);
    }
  }
  if (mistakes.length > 0) throw new Stop([...new Set(mistakes)].join("\n"));
  return found;
}

function find(name: string, environment: NodeJS.ProcessEnv): string | undefined {
  const { [name]: value, [`${name}_FILE`]: file, CREDENTIALS_DIRECTORY: directory } = environment;
  if (value !== undefined) return value;
  if (file !== undefined) return readSecret(file, `${name}_FILE names it`);
  if (directory === undefined) return undefined;
  // A folder that this user may not open must not look as if it lacked the secret.
  return readSecret(join(directory, name), "CREDENTIALS_DIRECTORY has it", { optional: true });
}

function readSecret(path: string, why: string, options = {}): string | undefined {
  return read(path, why, options)?.replace(/\r?\n$/, "");
}

/** @param options.optional whether the file may be missing: then undefined is the result */
function read(path: string, why: string, { optional = false } = {}): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (optional && code === "ENOENT") return undefined;
    const reasons: Record<string, string> = {
      ENOENT: "there is no such file",
      EACCES: "this user may not read it",
      EISDIR: "it is a folder",
      ENOTDIR: "a folder of this path is a file",
    };
    throw new Stop(`Cannot read ${path} (${why}): ${reasons[code ?? ""] ?? code}.`);
  }
}

function missing(name: string, localFile: string): string {
  return `The secret ${name} is missing: set the variable ${name}, or ${name}_FILE=/path/of/a/file, or write ${name}=... into ${localFile}.`;
}
