import { declare } from "../../cli/command/declare.ts";

/** @returns a bench's command line; every bench has a short run */
export function declareBench(name: string, description: string) {
  return declare(name, description, `npm run ${name} --`).option(
    "--quick",
    "about a minute: too short for numbers to keep",
    false,
  );
}
