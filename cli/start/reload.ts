import { dirname } from "node:path";
import type { Application } from "../../src/config/config.ts";
import { ConfigError } from "../../src/config/policy.ts";
import { Stop } from "../command/errors.ts";
import { makeApplication, secretsOf } from "../project/application.ts";
import { asBefore, changesIn, goesOn, mistakesIn, repaired } from "../project/changes.ts";
import { overlaid } from "../project/development.ts";

export interface ReloadOptions {
  /** What the gateway serves. */
  first: Application;
  /** @throws CatalogError or ConfigError, with every mistake */
  make: () => Application;
  /** Gives it to the gateway. @throws Error if the gateway does not take it */
  give: (application: Application) => Promise<void>;
  log: (line: string) => void;
}

/**
 * @returns a function that makes the application again, gives it to the gateway if it differs, and says what has
 * changed. While a file is broken, the gateway keeps what it has, and its connections.
 */
export function reloading({ first, make, give, log }: ReloadOptions): () => Promise<void> {
  let served = first;
  let broken = false;
  return async () => {
    try {
      const next = make();
      const lines = changesIn(served, next);
      if (lines.length > 0) await give(next);
      served = next;
      if (broken) log(repaired);
      broken = false;
      for (const line of lines.length > 0 ? lines : [asBefore]) log(line);
    } catch (cause) {
      broken = true;
      for (const line of [...mistakesIn("development", cause), goesOn]) log(line);
    }
  };
}

/** @returns what a function returns. @throws Stop with the mistakes in words */
export function orStop<T>(make: () => T): T {
  try {
    return make();
  } catch (cause) {
    throw new Stop(mistakesIn("development", cause).join("\n"));
  }
}

/**
 * @param overlay the file about the running servers; the cluster's CA is in its folder
 * @param hasSecret by the secret's name
 * @returns what the development gateway bundles
 * @throws CatalogError or ConfigError, with every mistake
 */
export function developmentApplication(overlay: string, hasSecret: (name: string) => boolean): Application {
  const application = makeApplication("development", overlaid(overlay), dirname(overlay));
  const missing = secretsOf(application).filter((name) => !hasSecret(name));
  if (missing.length > 0) {
    throw new ConfigError(
      missing.map(
        (name) => `the gateway has no secret ${name}: set the environment variable ${name}, and start again`,
      ),
    );
  }
  return application;
}
