import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheDirectory } from "../../servers/cache.ts";
import { debianTree } from "../../servers/database/debian.ts";
import { messageOf, ServerUnavailableError } from "../../servers/errors.ts";
import { run, which } from "../../servers/run.ts";

/** A Chromium that runs on this machine. */
export interface Chromium {
  /** "150.0.7871.100". */
  version: string;
  /** Where it was found, in words. */
  source: string;
  program: string;
  environment: Record<string, string>;
}

const variable = "TIDEGATE_CHROMIUM";
const names = ["chromium", "chromium-browser", "google-chrome"];

/** Parts of the packages that a headless browser never opens. */
const unneeded = ["bin", "sbin", "usr/bin", "usr/sbin", "var"].concat(
  ["doc", "icons", "locale", "man", "mime", "perl"].map((name) => `usr/share/${name}`),
);

/**
 * Finds a Chromium: the environment variable TIDEGATE_CHROMIUM, the PATH, Debian packages unpacked into
 * the cache folder of the user. Throws ServerUnavailableError with each way that was tried and the reason of its
 * failure. If the variable is set but does not work, that is an error, and nothing else is tried.
 */
export async function findChromium(log: (line: string) => void): Promise<Chromium> {
  const home = join(cacheDirectory(), "servers/chromium.home");
  mkdirSync(home, { recursive: true });
  const chosen = process.env[variable];
  if (chosen) return await describe(chosen, variable, plainEnvironment(home));
  const failures: string[] = [];
  for (const name of names) {
    const program = which(name);
    if (program === undefined) continue;
    try {
      return await describe(program, "the PATH", plainEnvironment(home));
    } catch (error) {
      failures.push(messageOf(error));
    }
  }
  if (failures.length === 0) failures.push(`none of ${names.join(", ")} is on the PATH`);
  try {
    return await fromDebian(home, log);
  } catch (error) {
    failures.push(`Debian packages: ${messageOf(error)}`);
  }
  throw new ServerUnavailableError(
    `No Chromium could be had. Tried:\n${failures.map((line) => `- ${line}`).join("\n")}\n` +
      `What helps: install Chromium or Chrome and set ${variable} to its path; or on Debian let apt reach its mirror.`,
  );
}

async function fromDebian(home: string, log: (line: string) => void): Promise<Chromium> {
  const suite = debianRelease();
  const tree = await debianTree({
    suite,
    packages: ["chromium", "fonts-dejavu-core"],
    prune: unneeded,
    // Chromium starts its own parts by /proc/self/exe. Otherwise that would be the unpacked tree's loader,
    // not Chromium.
    hostLibrary: true,
    directory: join(cacheDirectory(), "servers/chromium"),
    log,
  });
  const fonts = join(home, "fonts.conf");
  writeFileSync(fonts, fontsConfiguration(join(tree.directory, "usr/share/fonts"), join(home, "fonts")));
  return await describe(
    join(tree.directory, "usr/lib/chromium/chromium"),
    `Debian ${suite} packages in ${tree.directory}`,
    {
      ...plainEnvironment(home),
      // libpulse loads another library by an absolute path, where the unpacked one is not.
      LD_LIBRARY_PATH: `${tree.libraryPath}:${join(tree.libraryDirectory, "pulseaudio")}`,
      FONTCONFIG_FILE: fonts,
    },
  );
}

/** The packages of the machine's own release fit its C library. */
function debianRelease(): string {
  const path = "/etc/os-release";
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  const release = /^VERSION_CODENAME="?([a-z]+)"?$/m.exec(text)?.[1];
  if (/^ID="?debian"?$/m.test(text) && release !== undefined) return release;
  throw new ServerUnavailableError("this machine is not a Debian");
}

function fontsConfiguration(fonts: string, cache: string): string {
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>${fonts}</dir><cachedir>${cache}</cachedir></fontconfig>
`;
}

/**
 * A separate home directory, because Chromium and its libraries write settings, certificates and caches
 * there.
 */
function plainEnvironment(home: string): Record<string, string> {
  return {
    PATH: process.env.PATH ?? "",
    LC_ALL: "C.UTF-8",
    HOME: home,
    XDG_CONFIG_HOME: join(home, "config"),
    XDG_CACHE_HOME: join(home, "cache"),
    // No desktop bus, so that Chromium neither reads nor changes the user's session.
    DBUS_SESSION_BUS_ADDRESS: "disabled:",
  };
}

/** Asks the program for its version, which also shows that it runs. */
async function describe(
  program: string,
  source: string,
  environment: Record<string, string>,
): Promise<Chromium> {
  const answer = await run(program, ["--version"], { env: environment, timeoutMs: 30_000 });
  const version = /(\d+(\.\d+){3})/.exec(answer.stdout)?.[1];
  if (answer.status === 0 && version !== undefined) return { version, source, program, environment };
  const reason = answer.stderr.trim() || answer.stdout.trim() || `status ${answer.status}`;
  throw new ServerUnavailableError(`${program} (${source}) does not run: ${reason}`);
}
