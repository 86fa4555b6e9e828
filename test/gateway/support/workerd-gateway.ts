import { join } from "node:path";
import { bundleGateway } from "../../../bench/lib/bundle.ts";
import type { Served } from "../../../bench/lib/workerd.ts";
import { startWorkerd } from "../../../bench/lib/workerd.ts";
import { policyForServers } from "../../../cli/project/application.ts";
import { durableObjects } from "../../../cli/project/environment.ts";
import { packageRoot } from "../../../cli/project/paths.ts";
import { createSigningKey, mint } from "../../../servers/issuer/issuer.ts";
import { limits } from "../../../src/limits.ts";
import { audience, engine, issuers, server } from "./harness.ts";

/**
 * A gateway on workerd itself. The development server of most tests has a proxy, which buffers bytes and
 * hides the end of connections.
 */
export interface WorkerdGateway extends Served {
  token(claims?: Record<string, unknown>): Promise<string>;
  /** Simulates a failed machine: no connection gets a goodbye, and the data on the disk stay. */
  killAndStart(): Promise<void>;
}

/** Most tests ask as one caller, who may use all connections. */
const oneCaller = { connections_per_caller: limits.connectionsPerShard };

/**
 * @param name of its directory
 * @param grants in addition to those of the sample
 * @param account more settings for each account
 */
export async function startWorkerdGateway(
  name: string,
  grants: Record<string, unknown>[] = [],
  account: Record<string, unknown> = oneCaller,
): Promise<WorkerdGateway> {
  const key = await createSigningKey();
  const directory = join(packageRoot, ".tidegate", "test", `workerd-${name}-${engine}`);
  const policy = policyForServers({
    engine,
    database: `localhost:${server.port}`,
    actsAs: server.actsAs,
    issuers: [{ issuer: issuers.fixed, audience, jwks: { keys: [key.publicJwk] }, algorithms: ["ES256"] }],
  });
  for (const each of Object.values(policy.accounts)) Object.assign(each, account);
  const bundle = await bundleGateway(directory, { ...policy, grants: [...grants, ...policy.grants] });
  const texts = { ENVIRONMENT: "development", ...server.passwords };
  const options = { directory, bundle, ca: server.ca, texts, objects: durableObjects };
  const gateway: WorkerdGateway = {
    ...(await startWorkerd(options)),
    token: (claims = {}) =>
      mint(key, { iss: issuers.fixed, aud: audience, sub: "someone", role: "analyst", ...claims }),
    async killAndStart() {
      process.kill(gateway.pid, "SIGKILL");
      await gateway.stop();
      Object.assign(gateway, await startWorkerd({ ...options, keepState: true }));
    },
  };
  return gateway;
}
