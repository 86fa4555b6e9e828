import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual, parseEnv } from "node:util";
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

/** Why a secret cannot be written: no line can hold its value, or the file's other names would get other values. */
export type DevVarRefusal = "value" | "others";

/** A name and its value as both readers take them: between quotation marks it may have several lines. */
const assignment =
  /^[^\S\r\n]*(?:export[^\S\r\n]+)?([\w.-]+)[^\S\r\n]*(?:=|:[^\S\r\n])[^\S\r\n]*('(?:\\'|[^'])*'|"(?:\\"|[^"])*"|`(?:\\`|[^`])*`)?([^\r\n]*)(?:\r?\n|(?![\s\S]))/gm;

/**
 * @param text of the file
 * @returns the text with the secret in it, once, in the place of its values before; or why it cannot be. The rest stays
 */
export function withDevVar(
  text: string,
  name: string,
  value: string,
): { text: string } | { refusal: DevVarRefusal } {
  const quoted = quote(value);
  if (quoted === undefined) return { refusal: "value" };
  const end = text.includes("\r\n") ? "\r\n" : "\n";
  const line = `${name}=${quoted}${end}`;
  let isWritten = false;
  let isClear = true;
  const replaced = text.replace(assignment, (whole, found, quotation = "", rest = "") => {
    if (found !== name) return whole;
    // Behind a value of several lines only a comment may follow: otherwise the two readers do not agree on its end.
    if (quotation.includes("\n") && !/^\s*(?:#.*)?$/.test(rest)) isClear = false;
    if (isWritten) return "";
    isWritten = true;
    return line;
  });
  if (!isClear) return { refusal: "others" };
  const edited = isWritten ? replaced : `${text}${/[^\n]$/.test(text) ? end : ""}${line}`;
  const before = parseEnv(text);
  const after = parseEnv(edited);
  if (after[name] !== value) return { refusal: parseEnv(line)[name] === value ? "others" : "value" };
  delete before[name];
  delete after[name];
  return isDeepStrictEqual(before, after) ? { text: edited } : { refusal: "others" };
}

/** Both readers take the text between ' or ` as it is; between " they turn \n into a line break. */
function quote(value: string): string | undefined {
  if (/[\r\n]/.test(value)) return undefined;
  if (/^[\w.,:;@%+=/!?~^*()[\]{}<>|&-]+$/.test(value)) return value;
  const mark = ["'", "`", '"'].find((one) => !value.includes(one) && !(one === '"' && value.includes("\\")));
  return mark === undefined ? undefined : `${mark}${value}${mark}`;
}
