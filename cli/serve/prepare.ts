import { join } from "node:path";
import type { ServeSettings } from "../../src/serve/settings.ts";
import { packageModule, withoutLinks } from "../project/paths.ts";
import { readJson } from "../project/read-text.ts";
import type { WranglerConfig } from "../project/wrangler.ts";
import { writeWhole } from "../project/write-whole.ts";
import type { Trust } from "./authorities.ts";
import { bundleWorker } from "./bundle.ts";
import type { Listen } from "./listen.ts";
import { show } from "./listen.ts";
import { workerdConfig } from "./workerd-config.ts";

export interface ServeFiles {
  /** wrangler's configuration of the environment, as `tidegate build` writes it. */
  wrangler: string;
  /** The documentation page's files. */
  assets: string;
  /** Where the Worker's objects keep their data. */
  state: string;
  /** For the bundle and workerd's configuration. */
  directory: string;
}

/**
 * Bundles the Worker as for Cloudflare, and writes workerd's configuration.
 * @param proxies networks in CIDR notation
 * @param alone where it listens, for a workerd that runs without this command; otherwise `startWorkerd` says where
 * @returns the path of the configuration. It has no secrets
 * @throws Stop
 */
export async function prepareServe(
  files: ServeFiles,
  trust: Trust,
  proxies: string[],
  alone?: Listen,
): Promise<string> {
  const { state, assets } = files;
  const directory = withoutLinks(files.directory);
  const config = readJson(files.wrangler) as WranglerConfig;
  const bundleConfig = writeBundleConfig(directory, config);
  const bundle = await bundleWorker(join(directory, "bundle"), ["--config", bundleConfig]);
  const configPath = join(directory, "workerd.capnp");
  const bound = config.durable_objects?.bindings ?? [];
  const worker = {
    name: "gateway",
    bundle,
    compatibility_date: config.compatibility_date ?? "",
    compatibility_flags: config.compatibility_flags ?? [],
    texts: config.vars as Record<string, string>,
    variables: config.secrets?.required ?? [],
    json: { SERVE: settingsOf(config, proxies) },
    services: { ASSETS: "assets" },
    objects: Object.fromEntries(bound.map(({ name, class_name }) => [name, class_name])) as Record<
      string,
      string
    >,
  };
  writeWhole(
    configPath,
    workerdConfig(configPath, {
      workers: [worker],
      sockets: alone
        ? [{ name: "gateway", service: "gateway", address: show(alone) }]
        : [
            { name: "gateway", service: "gateway" },
            { name: "drain", service: "gateway", entrypoint: "Drain" },
          ],
      disks: [
        { name: "state", path: state, writable: true },
        { name: "assets", path: assets },
      ],
      tls: { systemAuthorities: true, authorities: trust.authorities },
    }),
  );
  return configPath;
}

/** The environment's Worker, with the start module that does what the platform would do. The build has been made. */
function writeBundleConfig(directory: string, { build: _, assets: __, ...same }: WranglerConfig): string {
  const written = join(directory, "wrangler.json");
  writeWhole(written, JSON.stringify({ ...same, main: packageModule("src/serve/worker") }));
  return written;
}

function settingsOf({ ratelimits = [] }: WranglerConfig, proxies: string[]): ServeSettings {
  const { limit, period } = ratelimits.find(({ name }) => name === "WALL")?.simple ?? {};
  return { proxies, wall: limit === undefined || period === undefined ? null : { limit, period } };
}
