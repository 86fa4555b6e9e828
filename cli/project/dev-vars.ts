import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { projectRoot } from "./paths.ts";

/**
 * .dev.vars.NAME: the secrets of an environment for runs on this machine, NAME=value in each line. wrangler reads
 * it with the package dotenv, and Tidegate with Node's parseEnv.
 */

/** @returns the path of an environment's file */
export function devVarsFile(environment: string, directory = projectRoot()): string {
  return join(directory, `.dev.vars.${environment}`);
}

/** @returns the secrets of the file by their names; none if there is no file */
export function readDevVars(environment: string, directory = projectRoot()): NodeJS.Dict<string> {
  const path = devVarsFile(environment, directory);
  return existsSync(path) ? parseEnv(readFileSync(path, "utf8")) : {};
}

/**
 * @param text of the file
 * @returns the text with the secret in it; its other lines stay. Undefined for a value that no line can hold
 */
export function withDevVar(text: string, name: string, value: string): string | undefined {
  const quoted = quote(value);
  if (quoted === undefined) return undefined;
  const line = `${name}=${quoted}`;
  const lines = text === "" ? [] : text.replace(/\n$/, "").split("\n");
  const at = lines.findIndex((one) => new RegExp(`^\\s*(?:export\\s+)?${name}\\s*=`).test(one));
  if (at < 0) lines.push(line);
  else lines[at] = line;
  const edited = `${lines.join("\n")}\n`;
  return parseEnv(edited)[name] === value ? edited : undefined;
}

/** Both readers take the text between ' or ` as it is; between " they turn \n into a line break. */
function quote(value: string): string | undefined {
  if (/[\r\n]/.test(value)) return undefined;
  if (/^[\w.,:;@%+=/!?~^*()[\]{}<>|&-]+$/.test(value)) return value;
  const mark = ["'", "`", '"'].find((one) => !value.includes(one) && !(one === '"' && value.includes("\\")));
  return mark === undefined ? undefined : `${mark}${value}${mark}`;
}
