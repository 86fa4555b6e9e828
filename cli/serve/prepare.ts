import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { ServeSettings } from "../../src/serve/settings.ts";
import { packageModule } from "../project/paths.ts";
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
 * @param alone where it listens, for a workerd that nobody else starts and stops; otherwise `startWorkerd` says where
 * @returns the path of the configuration. It has no secrets
 * @throws Stop
 */
export async function prepareServe(
  files: ServeFiles,
  trust: Trust,
  proxies: string[],
  alone?: Listen,
): Promise<string> {
  const { directory, state, assets } = files;
  const config = readConfig(files.wrangler);
  const bundleConfig = writeBundleConfig(directory, config, files.wrangler);
  const bundle = await bundleWorker(join(directory, "bundle"), ["--config", bundleConfig]);
  const configPath = join(directory, "workerd.capnp");
  const bound = config.durable_objects?.bindings ?? [];
  const worker = {
    name: "gateway",
    bundle,
    compatibility_date: config.compatibility_date ?? "",
    compatibility_flags: config.compatibility_flags ?? [],
    texts: config.vars as Record<string, string>,
    variables: secretsOf(files.wrangler),
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

/** @returns the names of the secrets in wrangler's configuration: workerd takes them from its environment */
export function secretsOf(wrangler: string): string[] {
  return readConfig(wrangler).secrets?.required ?? [];
}

function readConfig(path: string): WranglerConfig {
  return JSON.parse(readFileSync(path, "utf8")) as WranglerConfig;
}

/** The environment's Worker, with the start module that does what the platform would do. The build has been made. */
function writeBundleConfig(directory: string, config: WranglerConfig, path: string): string {
  const { build: _, assets: __, alias = {}, ...same } = config;
  const absolute = Object.entries(alias).map(([key, value]) => [key, resolve(dirname(path), value)]);
  const written = join(directory, "wrangler.json");
  const bundled = { ...same, main: packageModule("src/serve/worker"), alias: Object.fromEntries(absolute) };
  writeWhole(written, JSON.stringify(bundled));
  return written;
}

function settingsOf({ ratelimits = [] }: WranglerConfig, proxies: string[]): ServeSettings {
  const { limit, period } = ratelimits.find(({ name }) => name === "WALL")?.simple ?? {};
  return { proxies, wall: limit === undefined || period === undefined ? null : { limit, period } };
}
