import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { lastLines, ServerUnavailableError } from "../errors.ts";
import { freshDraft, readJson } from "../files.ts";
import { withLock } from "../lock.ts";
import { type RunResult, run, which } from "../run.ts";

export interface DebianTreeOptions {
  /** A suite or code name of the Debian archive: "sid", "bookworm". */
  suite: string;
  /** Unpacked with all their dependencies. */
  packages: string[];
  /** Unpacked without their dependencies (for a plugin inside a large package). */
  alone?: string[];
  /** Paths inside the tree that are removed after unpacking, to save disk space. */
  prune?: string[];
  /**
   * Leaves out the C library. This is for a program that starts itself again, which the tree's loader cannot
   * do. Then `suite` must be the machine's own release or an older one.
   */
  hostLibrary?: boolean;
  /** The folder of the tree. It only exists when it is complete. Drafts and a lock are made beside it. */
  directory: string;
  log: (line: string) => void;
}

/** An unpacked set of packages. */
export interface DebianTree {
  directory: string;
  /** The tree's library folders, joined by colons, for the loader's --library-path or LD_LIBRARY_PATH. */
  libraryPath: string;
  /** The first library folder: "<tree>/usr/lib/x86_64-linux-gnu". */
  libraryDirectory: string;
}

/** One line of `apt-get indextargets`. A field that apt does not know is undefined. */
export interface IndexTarget {
  uri: string;
  label: string | undefined;
  release: string;
}

const targetFormat = "$(REPO_URI)\t$(LABEL)\t$(RELEASE)";
const manifestName = "tidegate-tree.json";

/** Parses the output of `apt-get indextargets --format` with URI, label and release between tabs. */
export function parseIndexTargets(output: string): IndexTarget[] {
  return output
    .split("\n")
    .map((line) => line.split("\t"))
    .filter((fields) => fields.length === 3)
    .map(([uri = "", label = "", release = ""]) => ({
      uri,
      // apt does not replace an unknown variable in the format.
      label: label.startsWith("$(") || label === "" ? undefined : label,
      release,
    }));
}

/**
 * The mirrors of the Debian archive among the targets, best first, each once. If an entry's release file was
 * read, its label decides. Otherwise (lists were never fetched) the end of its address decides.
 */
export function debianMirrors(targets: IndexTarget[]): string[] {
  const labels = new Map(
    targets.filter((target) => target.label).map((target) => [target.uri, target.label]),
  );
  const isArchive = (target: IndexTarget) =>
    !target.release.includes("-security") &&
    !target.uri.startsWith("cdrom:") &&
    (labels.get(target.uri) === undefined
      ? /\/debian(\/|\/\d{8}T\d{6}Z\/?|\.list\/?)?$/.test(target.uri)
      : labels.get(target.uri) === "Debian");
  const archives = targets.filter(isArchive);
  const isNetwork = (target: IndexTarget) =>
    !target.uri.startsWith("file:") && !target.uri.startsWith("copy:");
  // A local folder rarely has a suite other than its machine's own.
  const ordered = [...archives.filter(isNetwork), ...archives.filter((target) => !isNetwork(target))];
  return [...new Set(ordered.map((target) => target.uri))];
}

/**
 * Returns a folder with unpacked Debian packages and all their dependencies. The first call makes it, and
 * later calls reuse it. It needs no root, and changes nothing outside `directory` and its parent. Throws
 * ServerUnavailableError with the ways that were tried.
 */
export async function debianTree(options: DebianTreeOptions): Promise<DebianTree> {
  const { directory, log } = options;
  const { suite, packages, alone = [], prune = [], hostLibrary = false } = options;
  const parts = hostLibrary ? [suite, packages, alone, prune, "host"] : [suite, packages, alone, prune];
  const wanted = JSON.stringify(parts);
  if (manifestOf(directory) === wanted) return openTree(directory);
  for (const program of ["apt-get", "dpkg-deb", "dpkg"]) {
    if (which(program) === undefined) throw new ServerUnavailableError(`${program} is not on this machine`);
  }
  return withLock(`${directory}.lock`, { log, waitMs: 15 * 60_000 }, async () => {
    if (manifestOf(directory) === wanted) return openTree(directory);
    // Files of an interrupted run are removed: a download takes seconds, and half a download cannot be
    // trusted.
    const part = freshDraft(directory);
    try {
      const downloaded = await download(part, options);
      const debs = downloaded.filter((deb) => !hostLibrary || !/^libc6(\.1)?_/.test(basename(deb)));
      log(`unpacking ${debs.length} packages`);
      const tree = join(part, "tree");
      mkdirSync(tree, { recursive: true });
      for (const deb of debs)
        mustSucceed(await run("dpkg-deb", ["-x", deb, tree]), `unpack ${basename(deb)}`);
      for (const path of prune) rmSync(join(tree, path), { recursive: true, force: true });
      // The root folder in an archive may have mode 0700. The server's user must be able to enter it.
      await chmod(tree, 0o755);
      const versions = debs.map((deb) => decodeURIComponent(basename(deb, ".deb")));
      writeFileSync(join(tree, manifestName), JSON.stringify({ wanted, versions }, null, 1));
      const opened = openTree(tree);
      if (!hostLibrary) loaderOf(opened);
      rmSync(directory, { recursive: true, force: true });
      renameSync(tree, directory);
    } finally {
      rmSync(part, { recursive: true, force: true });
    }
    return openTree(directory);
  });
}

function manifestOf(directory: string): string | undefined {
  return readJson<{ wanted: string }>(join(directory, manifestName))?.wanted;
}

/** Finds the library folders of a finished tree. */
function openTree(directory: string): DebianTree {
  const folders = ["usr/lib", "lib"].flatMap((parent) => {
    const path = join(directory, parent);
    if (!existsSync(path)) return [];
    return readdirSync(path)
      .filter((name) => /-linux-gnu/.test(name))
      .map((name) => join(path, name));
  });
  const libraryDirectory = folders[0];
  if (libraryDirectory === undefined) {
    throw new ServerUnavailableError(`${directory} has no libraries: remove the folder and try again`);
  }
  return { directory, libraryDirectory, libraryPath: [...folders, join(directory, "usr/lib")].join(":") };
}

/** The tree's own dynamic loader. Throws ServerUnavailableError if there is none (`hostLibrary`). */
export function loaderOf({ directory, libraryPath }: DebianTree): string {
  const loader = libraryPath
    .split(":")
    .flatMap((folder) => (existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : []))
    .find((path) => /^ld-linux.*\.so\.\d+$/.test(basename(path)));
  if (loader !== undefined) return loader;
  throw new ServerUnavailableError(`${directory} has no dynamic loader: remove the folder and try again`);
}

/** Downloads into `part`, trying each mirror in turn. Returns the paths of the .deb files. */
async function download(part: string, options: DebianTreeOptions): Promise<string[]> {
  const architecture = mustSucceed(await run("dpkg", ["--print-architecture"]), "ask dpkg").trim();
  const mirrors = await findMirrors();
  if (mirrors.length === 0) {
    throw new ServerUnavailableError(
      "this machine's apt sources name no Debian archive (Ubuntu has another one)",
    );
  }
  const failures: string[] = [];
  for (const mirror of mirrors) {
    options.log(`downloading ${options.packages.join(", ")} of Debian ${options.suite} (${architecture})`);
    rmSync(part, { recursive: true, force: true });
    const configuration = writeAptState(part, mirror, architecture, options.suite);
    const apt = (...args: string[]) =>
      run("apt-get", ["-c", configuration, "-q", "-y", ...args], {
        cwd: join(part, "archives"),
        env: { ...process.env, LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive" },
        timeoutMs: 10 * 60_000,
      });
    let result = await apt("update");
    if (result.status === 0) result = await apt("install", "--download-only", "--", ...options.packages);
    if (result.status === 0 && options.alone?.length) result = await apt("download", "--", ...options.alone);
    if (result.status === 0) {
      const archives = join(part, "archives");
      return readdirSync(archives)
        .filter((name) => name.endsWith(".deb"))
        .map((name) => join(archives, name));
    }
    failures.push(`apt-get with ${mirror} failed:\n${lastLines(result.stderr || result.stdout, 6)}`);
  }
  throw new ServerUnavailableError(failures.join("\n"));
}

/** Ask apt, because it reads both formats of source files and every override. */
async function findMirrors(): Promise<string[]> {
  const env = { ...process.env, LC_ALL: "C" };
  const known = await run("apt-get", ["indextargets", "--format", targetFormat], { env });
  // If no lists were fetched, the first command prints nothing. This one prints the targets, but without
  // labels.
  const named = await run("apt-get", ["indextargets", "--no-release-info", "--format", targetFormat], {
    env,
  });
  return debianMirrors([...parseIndexTargets(known.stdout), ...parseIndexTargets(named.stdout)]);
}

/** Makes a private apt state without installed packages. Returns its configuration's path. */
function writeAptState(part: string, mirror: string, architecture: string, suite: string): string {
  for (const folder of ["lists/partial", "archives/partial", "none"]) {
    mkdirSync(join(part, folder), { recursive: true });
  }
  writeFileSync(join(part, "status"), "");
  const keyring = ["debian-archive-keyring.gpg", "debian-archive-keyring.pgp"]
    .map((name) => join("/usr/share/keyrings", name))
    .find((path) => existsSync(path));
  const signedBy = keyring === undefined ? "" : ` signed-by=${keyring}`;
  const source = `deb [arch=${architecture} lang=none target=Packages${signedBy}] ${mirror} ${suite} main\n`;
  writeFileSync(join(part, "sources.list"), source);
  const path = (name: string) => JSON.stringify(join(part, name));
  // apt reads it after the machine's configuration, so the machine's proxy and credentials stay. The
  // machine's hooks must not run (some clean the machine's cache). Its pins, default release and foreign
  // architectures must not count.
  const configuration = `#clear APT::Update;
APT::Update::Error-Mode "any";
#clear DPkg;
#clear APT::Architectures;
#clear APT::Default-Release;
APT::Architecture "${architecture}";
APT::Architectures { "${architecture}"; };
APT::Install-Recommends "false";
APT::Install-Suggests "false";
APT::Sandbox::User "";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
Acquire::PDiffs "false";
Acquire::Retries "2";
Dir::State ${path(".")};
Dir::State::lists ${path("lists")};
Dir::State::status ${path("status")};
Dir::State::extended_states ${path("extended_states")};
Dir::Cache ${path(".")};
Dir::Cache::archives ${path("archives")};
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Dir::Log ${path(".")};
Dir::Etc::sourcelist ${path("sources.list")};
Dir::Etc::sourceparts ${path("none")};
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts ${path("none")};
`;
  const configurationPath = join(part, "apt.conf");
  mkdirSync(dirname(configurationPath), { recursive: true });
  writeFileSync(configurationPath, configuration);
  return configurationPath;
}

function mustSucceed(result: RunResult, what: string): string {
  if (result.status === 0) return result.stdout;
  throw new ServerUnavailableError(`could not ${what}:\n${lastLines(result.stderr, 6)}`);
}
