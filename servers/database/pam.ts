import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import type { Connection } from "mysql2/promise";
import { ServerUnavailableError } from "../errors.ts";
import type { ServerPaths } from "./arguments.ts";
import type { DebianTree } from "./debian.ts";
import type { Installation, NativeInstallation } from "./installation.ts";
import type { DatabaseServer } from "./types.ts";

/** How a server with PAM is started. */
export interface Pam {
  /** The folder with all that PAM reads. It is the server's own and goes when the server ends. */
  directory: string;
  /** Instead of the installation's. */
  command: string[];
  /** Besides the usual ones. */
  arguments: string[];
}

/** A PAM user, with an account in MariaDB that lets PAM check the password. */
export interface PamUser {
  /** Letters, digits and "_.-$": what pam_user_map can read. */
  name: string;
  password: string;
  /**
   * The account (at '%') that pam_user_map turns the user into. Made if it is missing, without rights and
   * with no way to log in directly. Without it the user logs in as itself.
   */
  actsAs?: string;
}

/** A PAM service is a file of that name; an account names its service after USING. */
export const pamServices = {
  /** The password alone. */
  plain: "tidegate",
  /** The password, then the user's name is replaced. Refuses a user whom user_map.conf does not name. */
  mapped: "tidegate-mapped",
} as const;

/** Compares with the shell's own means, so that no other program is needed. */
const checkScript = `# pam_exec gives the user's name in PAM_USER and the password, without a line end, on standard input.
IFS= read -r password
while IFS= read -r line; do
  [ "$line" = "$PAM_USER:$password" ] && exit 0
done <"$1"
exit 1
`;

/**
 * Lays out a private PAM in the run directory, for MariaDB from Debian's packages. PAM looks into /etc,
 * where tests must change nothing (and an ordinary user cannot). Those paths are compiled in, so the server
 * gets copies of libpam and pam_user_map in which they lead to this folder, seen from the data directory,
 * where a server works. The caller gives the folder to the server's user.
 *
 * The plugin is auth_pam_v1, which runs PAM inside the server: the later auth_pam starts a helper that wants
 * to be setuid root and would load this machine's libpam. Clients see no difference.
 *
 * Throws ServerUnavailableError when the server is another one, or from elsewhere.
 */
export function preparePam(installation: NativeInstallation, paths: ServerPaths): Pam {
  const { engine, tree } = installation;
  if (engine !== "mariadb" || tree === undefined) throw withoutPam(installation);
  const directory = join(paths.runDirectory, "pam");
  mkdirSync(directory);
  const inside = relative(paths.dataDirectory, directory);
  const libraries = libpamFolder(tree);
  const copy = (name: string, foreignPaths: string[]) => {
    let binary: Buffer = readFileSync(join(libraries, name));
    for (const path of foreignPaths) binary = movePath(binary, path, inside);
    writeFileSync(join(directory, basename(name)), binary);
  };
  // The second and the third would let this machine's services and modules in.
  const moduleFolder = `/${relative(tree.directory, libraries)}/security/`;
  copy("libpam.so.0", ["/etc/pam.d", "/usr/lib/pam.d", moduleFolder]);
  copy("security/pam_user_map.so", ["/etc/security/"]);
  for (const name of ["pam_exec", "pam_permit", "pam_deny"]) copy(`security/${name}.so`, []);

  const write = (name: string, text: string) => writeFileSync(join(directory, name), text, { mode: 0o600 });
  write("check", checkScript);
  write("passwords", "");
  write("user_map.conf", "");
  // "requisite": after a wrong password nothing else is done.
  const check = `auth requisite pam_exec.so quiet expose_authtok /bin/sh ${inside}/check ${inside}/passwords\n`;
  const account = "account required pam_permit.so\n";
  write(pamServices.plain, check + account);
  write(pamServices.mapped, `${check}auth required pam_user_map.so\n${account}`);
  // PAM turns to it for a service that has no file.
  write("other", "auth required pam_deny.so\naccount required pam_deny.so\n");
  return {
    directory,
    command: installation.command.map((part) => (part === tree.libraryPath ? `${directory}:${part}` : part)),
    // Without the second one clients are asked for the plugin "dialog".
    arguments: ["--plugin-load-add=auth_pam_v1", "--pam-use-cleartext-plugin=ON"],
  };
}

/** The error for a server that cannot be had with PAM. */
export function withoutPam({ engine, source }: Installation): ServerUnavailableError {
  return new ServerUnavailableError(
    `only MariaDB from Debian packages has PAM here; this is ${engine}: ${source}`,
  );
}

function libpamFolder(tree: DebianTree): string {
  const folder = tree.libraryPath.split(":").find((path) => existsSync(join(path, "libpam.so.0")));
  if (folder === undefined) throw new ServerUnavailableError(`${tree.directory} has no libpam.so.0`);
  return folder;
}

/**
 * Replaces a path in a compiled file. Nothing in there may change its place, so a shorter path is filled up
 * with slashes, which a path may repeat. Throws RangeError when `from` does not occur, or is too short.
 */
export function movePath(binary: Buffer, from: string, to: string): Buffer {
  if (to.length > from.length) throw new RangeError(`no room for ${to} in place of ${from}`);
  // One character a byte, both ways.
  const text = binary.toString("latin1");
  if (!text.includes(from)) throw new RangeError(`${from} does not occur`);
  return Buffer.from(text.replaceAll(from, to.padEnd(from.length, "/")), "latin1");
}

/**
 * Makes a PAM user anew on a server that was started with `pam`. PAM forgets its users when the server ends;
 * their accounts can then no longer log in. Throws TypeError for a server without PAM or a user that PAM's
 * files cannot hold, and mysql2's errors.
 */
export async function createPamUser(
  server: Pick<DatabaseServer, "pamDirectory">,
  administrator: Connection,
  { name, password, actsAs }: PamUser,
): Promise<void> {
  if (server.pamDirectory === undefined) throw new TypeError("the server was started without PAM");
  for (const word of [name, actsAs ?? name]) {
    if (!/^[\w.$-]+$/.test(word)) throw new TypeError(`pam_user_map cannot read the name ${word}`);
  }
  if (/[\n\0]/.test(password)) throw new TypeError("a password is one line");
  replaceLine(join(server.pamDirectory, "passwords"), `${name}:`, password);
  replaceLine(join(server.pamDirectory, "user_map.conf"), `${name}:`, actsAs);
  const login = `'${name}'@'%'`;
  const service = actsAs === undefined ? pamServices.plain : pamServices.mapped;
  await administrator.query(`DROP USER IF EXISTS ${login}`);
  await administrator.query(`CREATE USER ${login} IDENTIFIED VIA pam USING '${service}' REQUIRE SSL`);
  if (actsAs === undefined) return;
  const identity = `'${actsAs}'@'%'`;
  // No password has this hash. Locking the account would do as well: MariaDB maps to locked ones too.
  await administrator.query(
    `CREATE USER IF NOT EXISTS ${identity} IDENTIFIED VIA mysql_native_password USING 'invalid' REQUIRE SSL`,
  );
  await administrator.query(`GRANT PROXY ON ${identity} TO ${login}`);
}

/** Sets what follows `start` in the line that begins with it; undefined takes the line away. */
function replaceLine(path: string, start: string, rest: string | undefined): void {
  const lines = readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith(start));
  if (rest !== undefined) lines.push(`${start}${rest}`);
  // Written in place: the file stays the server user's.
  writeFileSync(path, lines.map((line) => `${line}\n`).join(""));
}
