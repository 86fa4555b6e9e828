import application from "#application";
import type { Config } from "./config/config.ts";
import { loadConfig } from "./config/config.ts";
import { ConfigError } from "./config/policy.ts";
import { TidegateError } from "./errors.ts";
import { observe } from "./telemetry.ts";

/** What wrangler.toml binds in every environment; without --env nothing is bound, and loadConfig refuses. */
export type Bindings = Required<Env>;

/** One isolate serves one deployment: its configuration is judged once, by the first request. */
let loaded: Config | ConfigError | undefined;

/**
 * The bundled policy with this Worker's bindings.
 * @throws TidegateError `misconfigured`; the mistakes go to the log, never to the caller
 */
export function configOf(bindings: Bindings): Config {
  if (loaded === undefined) {
    try {
      loaded = loadConfig(application, bindings as unknown as Record<string, unknown>);
    } catch (cause) {
      if (!(cause instanceof ConfigError)) throw cause;
      loaded = cause;
      observe({ event: "misconfigured", mistakes: cause.mistakes });
    }
  }
  if (loaded instanceof ConfigError) throw new TidegateError("misconfigured");
  return loaded;
}
