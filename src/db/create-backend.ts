import type { Config } from "../config/config.ts";
import type { Backend } from "./contract/backend.ts";
import { HyperdriveBackend } from "./hyperdrive/hyperdrive-backend.ts";
import { PoolBackend } from "./pool/worker/pool-backend.ts";

/** Chooses the Backend, once for each configuration. */
export function createBackend(config: Config): Backend {
  return config.cluster.link === "hyperdrive" ? new HyperdriveBackend(config) : new PoolBackend(config);
}
