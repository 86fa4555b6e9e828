import application from "#application";
import type { Config } from "./config/config.ts";
import { loadConfig } from "./config/config.ts";
import { ConfigError } from "./config/policy.ts";
import { TidegateError } from "./errors.ts";
import { observe } from "./telemetry.ts";

/**
 * The bindings of wrangler.toml, which every environment has. Without a build there are none; loadConfig
 * refuses that.
 */
export type Bindings = Required<Env>;

/** An isolate serves one deployment, so the first request loads the configuration for all later ones. */
let loaded: Config | ConfigError | undefined;

/**
 * The bundled policy with this Worker's bindings.
 * @throws TidegateError `misconfigured`; the mistakes go to the log and never to the caller
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
