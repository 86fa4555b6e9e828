import { InvalidArgumentError, Option } from "@commander-js/extra-typings";
import { projectFile, typed } from "./paths.ts";
import { environmentNames } from "./project-file.ts";

/** @returns the option --env, which takes the name of an environment of the project */
export function environmentOption(description: string) {
  return new Option("--env <NAME>", description).argParser(environmentName);
}

function environmentName(name: string): string {
  const names = environmentNames();
  if (names.includes(name)) return name;
  throw new InvalidArgumentError(
    names.length === 0
      ? `${projectFile} has no [env.NAME] yet: ${typed("connect")} writes one.`
      : `There is no such environment in ${projectFile}; there are: ${names.join(", ")}.`,
  );
}
