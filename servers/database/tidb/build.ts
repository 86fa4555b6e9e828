import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { cacheDirectory } from "../../cache.ts";
import { lastLines, ServerUnavailableError } from "../../errors.ts";
import { freshDraft } from "../../files.ts";
import { withLock } from "../../lock.ts";
import { run, which } from "../../run.ts";

/**
 * Builds TiDB's server, which is an ordinary Go program. `go.mod` beside this file pins its commit, and
 * `go.sum` pins the modules that it uses.
 */

const module = import.meta.dirname;
const serverPackage = "github.com/pingcap/tidb/cmd/tidb-server";
/** The oldest Go version that can build the module. */
const oldestGo = [1, 25] as const;
/** Two cores took 7 minutes; a slow machine that downloads 1 GB first takes longer. */
const buildMs = 60 * 60_000;

/** The branch of go.mod's commit. The commit's tag is not a version that Go accepts. */
const release = "v8.5";

/**
 * Returns the path of a tidb-server built from `go.mod`. The first call builds it, which takes minutes, and
 * keeps it in the user's cache folder for all checkouts. Go keeps modules and objects in its own cache
 * folders.
 * @throws ServerUnavailableError when there is no Go, an older one, or the build fails
 */
export async function builtServer(log: (line: string) => void): Promise<string> {
  const go = which("go");
  if (go === undefined) throw new ServerUnavailableError("no go on the PATH");
  const version = await goVersion(go);
  const program = join(cacheDirectory(), "tidb", `${hashOfModule()}-${process.arch}`, "tidb-server");
  if (existsSync(program)) return program;
  mkdirSync(dirname(dirname(program)), { recursive: true });
  return await withLock(`${dirname(program)}.lock`, { log, waitMs: buildMs }, async () => {
    if (!existsSync(program)) await build(go, version, program, log);
    return program;
  });
}

async function goVersion(go: string): Promise<string> {
  // GOTOOLCHAIN must stay local, or Go would download another version.
  const { stdout } = await run(go, ["env", "GOVERSION"], { env: goEnvironment(), timeoutMs: 30_000 });
  const [, major = "0", minor = "0"] = /^go(\d+)\.(\d+)/.exec(stdout.trim()) ?? [];
  const isOld = Number(major) < oldestGo[0] || (Number(major) === oldestGo[0] && Number(minor) < oldestGo[1]);
  if (isOld)
    throw new ServerUnavailableError(
      `${go} is ${stdout.trim() || "broken"}, TiDB needs go${oldestGo.join(".")}`,
    );
  return stdout.trim();
}

async function build(
  go: string,
  version: string,
  program: string,
  log: (line: string) => void,
): Promise<void> {
  const startMs = Date.now();
  log(
    `building TiDB with ${version} into ${dirname(program)}, once: 7 minutes on two cores, 2 GB in Go's own caches`,
  );
  const draft = freshDraft(dirname(program));
  mkdirSync(draft, { recursive: true });
  const args = [
    "build",
    "-trimpath",
    "-ldflags",
    linkerFlags(),
    "-o",
    join(draft, "tidb-server"),
    serverPackage,
  ];
  const { status, stderr } = await run(go, args, { cwd: module, env: goEnvironment(), timeoutMs: buildMs });
  if (status !== 0) {
    rmSync(draft, { recursive: true, force: true });
    throw new ServerUnavailableError(`go build failed:\n${lastLines(stderr, 10)}`);
  }
  chmodSync(draft, 0o755);
  rmSync(dirname(program), { recursive: true, force: true });
  renameSync(draft, dirname(program));
  log(`built TiDB in ${Math.round((Date.now() - startMs) / 1000)} s`);
}

function goEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, GOTOOLCHAIN: "local", GOWORK: "off", GOFLAGS: "-mod=readonly" };
}

/** The server will announce the version "v8.5-20251126-e4e814fdc0af", from the pseudo-version in go.mod. */
function linkerFlags(): string {
  const text = readFileSync(join(module, "go.mod"), "utf8");
  const [, day, commit] = /pingcap\/tidb v\S+\.(\d{8})\d{6}-([0-9a-f]{12})/.exec(text) ?? [];
  const name = "github.com/pingcap/tidb/pkg/parser/mysql.TiDBReleaseVersion";
  return `-s -w -X ${name}=${release}-${day}-${commit}`;
}

/** The hash of the commit and the flags: if either changes, another server is built. */
function hashOfModule(): string {
  const hash = createHash("sha256").update(linkerFlags());
  for (const name of ["go.mod", "go.sum"]) hash.update(readFileSync(join(module, name)));
  return hash.digest("hex").slice(0, 12);
}
