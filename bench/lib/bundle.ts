import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "smol-toml";
import { packageRoot } from "../../cli/project/paths.ts";
import { wranglerVariables } from "../../cli/project/wrangler.ts";
import { bundleWorker as bundleProduct } from "../../cli/serve/bundle.ts";
import type { Bundle as BundledWorker, Compatibility } from "../../cli/serve/workerd-config.ts";
import { run } from "../../servers/run.ts";

/** A bundled Worker. */
export interface Bundle extends BundledWorker {
  /** The checkout that it was made from, if that is another one than this. */
  root?: string;
}

export interface GatewayOptions {
  /** One of bench/workers/ with the same exports as src/index.ts. */
  worker?: string | undefined;
  /** Another checkout of this project, with its packages: its code, its build, its wrangler.toml. */
  root?: string | undefined;
}

/**
 * Bundles the gateway with a policy in place of the development one.
 * @param directory of the bundle; the CAs that the policy names are looked for there
 */
export async function bundleGateway(
  directory: string,
  policy: Record<string, unknown>,
  { worker, root }: GatewayOptions = {},
): Promise<Bundle> {
  mkdirSync(directory, { recursive: true });
  const overlay = join(directory, "overlay.json");
  writeFileSync(overlay, JSON.stringify(policy));
  const main = worker === undefined ? [] : [join(import.meta.dirname, "..", "workers", `${worker}.ts`)];
  // The build of the environment writes below this directory, and takes the policy of the overlay.
  const environment = { TIDEGATE_OVERLAY: overlay, TIDEGATE_DIRECTORY: directory };
  const build = ["cli/tidegate.ts", "build", "--env", "development"];
  await succeed(process.execPath, build, environment, root);
  const config = join(directory, "development", "wrangler.json");
  const made = await bundle(directory, [...main, "--config", config], environment, root);
  return root === undefined ? made : { ...made, root };
}

/**
 * Bundles one of bench/workers/.
 * @param objects its Durable Objects: the binding's name and the class
 */
export async function bundleWorker(
  directory: string,
  name: string,
  objects: Record<string, string> = {},
): Promise<Bundle> {
  mkdirSync(directory, { recursive: true });
  const bindings = Object.entries(objects).map(([name, type]) => ({ name, class_name: type }));
  const storage = { type: "durable-object", storage: "sqlite" };
  const config = {
    ...compatibility(),
    name,
    main: join(import.meta.dirname, "..", "workers", `${name}.ts`),
    durable_objects: { bindings },
    exports: Object.fromEntries(Object.values(objects).map((type) => [type, storage])),
  };
  const configPath = join(directory, "wrangler.json");
  writeFileSync(configPath, JSON.stringify(config));
  return await bundle(directory, ["--config", configPath], {});
}

async function bundle(
  parent: string,
  args: string[],
  environment: Record<string, string>,
  root = packageRoot,
): Promise<Bundle> {
  const wrangler = join(root, "node_modules", ".bin", "wrangler");
  return await bundleProduct(join(parent, "bundle"), args, { cwd: root, wrangler, variables: environment });
}

async function succeed(
  program: string,
  args: string[],
  environment: Record<string, string>,
  root = packageRoot,
): Promise<void> {
  const env = { ...process.env, ...wranglerVariables(), ...environment };
  const { status, stdout, stderr } = await run(program, args, { cwd: root, env, timeoutMs: 60_000 });
  if (status !== 0) throw new Error(`${program} ${args.join(" ")} failed:\n${stdout}\n${stderr}`);
}

/**
 * Every variant has the compatibility settings of the deployed gateway.
 * @param root the checkout whose wrangler.toml is read
 */
export function compatibility(root = packageRoot): Compatibility {
  const file = parse(readFileSync(join(root, "wrangler.toml"), "utf8")) as unknown as Compatibility;
  return {
    compatibility_date: file.compatibility_date,
    compatibility_flags: file.compatibility_flags ?? [],
  };
}
