import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { configDirectory } from "./paths.ts";

/** @returns the option --env, which takes the name of a policy file of the project */
export function environmentOption(description: string) {
  return new Option("--env <NAME>", description).argParser(environmentName);
}

/** @returns the environments that have a policy file */
export function environmentNames(directory = configDirectory()): string[] {
  const files = readdirSync(directory).filter((file) => file.endsWith(".toml"));
  return files.map((file) => file.replace(/\.toml$/, "")).sort();
}

function environmentName(name: string): string {
  if (/^[\w-]+$/.test(name) && existsSync(join(configDirectory(), `${name}.toml`))) return name;
  throw new InvalidArgumentError(
    `There is no such file in config/; there are: ${environmentNames().join(", ")}.`,
  );
}
