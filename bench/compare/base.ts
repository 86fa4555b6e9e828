import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { Stop } from "../../cli/command/errors.ts";
import { packageRoot } from "../../cli/project/paths.ts";
import { run } from "../../servers/run.ts";
import { benchDirectory } from "../lib/backends.ts";

/** What this checkout is compared with. */
export interface Base {
  /** As it was typed. */
  name: string;
  /** Of a commit; missing for a directory. */
  commit?: string;
  /** The checkout. */
  root: string;
}

/**
 * Finds the base. Of a commit it makes a checkout, with this checkout's packages.
 * @param name a directory with wrangler.toml and node_modules, or what git knows a commit by
 * @throws Stop when it is neither
 */
export async function findBase(name: string, log: (line: string) => void): Promise<Base> {
  if (existsSync(join(name, "wrangler.toml"))) return { name, root: checkoutIn(resolve(name)) };
  const commit = await commitOf(name);
  const root = join(benchDirectory, "base");
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  const archive = join(benchDirectory, "base.tar");
  await succeed("git", ["archive", "--format=tar", `--output=${archive}`, commit]);
  await succeed("tar", ["-xf", archive, "-C", root]);
  rmSync(archive);
  symlinkSync(join(packageRoot, "node_modules"), join(root, "node_modules"));
  if (lockOf(root) !== lockOf(packageRoot)) {
    log(`${name} has another package-lock.json: both builds get the packages that are installed here`);
  }
  return { name, commit, root };
}

function checkoutIn(root: string): string {
  if (existsSync(join(root, "node_modules"))) return root;
  throw new Stop(`--compare: ${root} has no node_modules. Run npm install there first.`, 2);
}

async function commitOf(name: string): Promise<string> {
  const asked = ["rev-parse", "--verify", "--quiet", "--end-of-options", `${name}^{commit}`];
  const { status, stdout } = await run("git", asked, { cwd: packageRoot });
  if (status === 0) return stdout.trim();
  throw new Stop(
    "--compare: BASE is neither a commit nor a directory with wrangler.toml. Try --compare main.",
    2,
  );
}

function lockOf(root: string): string {
  return readFileSync(join(root, "package-lock.json"), "utf8");
}

async function succeed(program: string, args: string[]): Promise<void> {
  const { status, stderr } = await run(program, args, { cwd: packageRoot });
  if (status !== 0) throw new Error(`${program} ${args[0]} failed: ${stderr}`);
}
