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
  /** The folder with all files of PAM. It belongs to the server and is removed when the server ends. */
  directory: string;
  /** Replaces the installation's command. */
  command: string[];
  /** Options in addition to the usual ones. */
  arguments: string[];
}

/** A PAM user, with an account in MariaDB whose password PAM checks. */
export interface PamUser {
  /** Letters, digits and "_.-$", which pam_user_map can read. */
  name: string;
  password: string;
  /**
   * The account (at '%') that pam_user_map maps the user to. It is made if it is missing, without rights and
   * without a direct login. By default the user logs in as itself.
   */
  actsAs?: string;
}

/** A PAM service is a file with the service's name. An account names its service after USING. */
export const pamServices = {
  /** Checks the password only. */
  plain: "tidegate",
  /** Checks the password, then maps the user's name. Refuses a user that user_map.conf does not name. */
  mapped: "tidegate-mapped",
} as const;

/** Uses only shell built-ins to compare, so that no other program is needed. */
const checkScript = `# pam_exec gives the user's name in PAM_USER and the password, without a line end, on standard input.
IFS= read -r password
while IFS= read -r line; do
  [ "$line" = "$PAM_USER:$password" ] && exit 0
done <"$1"
exit 1
`;

/**
 * Makes a private PAM in the run directory, for MariaDB from Debian's packages. PAM reads /etc, which tests
 * must not change, and an ordinary user cannot. These paths are compiled in. So the server gets copies of
 * libpam and pam_user_map whose paths lead to this folder, relative to the data directory, the server's
 * working directory. The caller must give the folder to the server's user.
 *
 * The plugin is auth_pam_v1, which runs PAM inside the server. The newer auth_pam starts a helper that must
 * be setuid root and would load this machine's libpam. Clients see no difference.
 *
 * Throws ServerUnavailableError when the server is not MariaDB, or not from Debian's packages.
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
  // Replace the second and third path too: they would load services and modules of this machine.
  const moduleFolder = `/${relative(tree.directory, libraries)}/security/`;
  copy("libpam.so.0", ["/etc/pam.d", "/usr/lib/pam.d", moduleFolder]);
  copy("security/pam_user_map.so", ["/etc/security/"]);
  for (const name of ["pam_exec", "pam_permit", "pam_deny"]) copy(`security/${name}.so`, []);

  const write = (name: string, text: string) => writeFileSync(join(directory, name), text, { mode: 0o600 });
  write("check", checkScript);
  write("passwords", "");
  write("user_map.conf", "");
  // "requisite": PAM stops after a wrong password.
  const check = `auth requisite pam_exec.so quiet expose_authtok /bin/sh ${inside}/check ${inside}/passwords\n`;
  const account = "account required pam_permit.so\n";
  write(pamServices.plain, check + account);
  write(pamServices.mapped, `${check}auth required pam_user_map.so\n${account}`);
  // PAM uses it for a service without a file.
  write("other", "auth required pam_deny.so\naccount required pam_deny.so\n");
  return {
    directory,
    command: installation.command.map((part) => (part === tree.libraryPath ? `${directory}:${part}` : part)),
    // Without the second option, the server asks clients for the plugin "dialog".
    arguments: ["--plugin-load-add=auth_pam_v1", "--pam-use-cleartext-plugin=ON"],
  };
}

/** The error for a server that cannot run with PAM. */
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
 * Replaces a path in a compiled file. All bytes must keep their places, so a shorter path is filled up with
 * slashes, which a path may repeat. Throws RangeError when `from` does not occur or is too short.
 */
export function movePath(binary: Buffer, from: string, to: string): Buffer {
  if (to.length > from.length) throw new RangeError(`no room for ${to} in place of ${from}`);
  // latin1 maps one byte to one character, in both directions.
  const text = binary.toString("latin1");
  if (!text.includes(from)) throw new RangeError(`${from} does not occur`);
  return Buffer.from(text.replaceAll(from, to.padEnd(from.length, "/")), "latin1");
}

/**
 * Makes or replaces a PAM user on a server that was started with `pam`. PAM forgets its users when the server
 * ends, so their accounts can no longer log in. Throws TypeError for a server without PAM, or for a user that
 * PAM's files cannot hold; also mysql2's errors.
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
  // No password has this hash. A locked account would work too: MariaDB also maps to locked accounts.
  await administrator.query(
    `CREATE USER IF NOT EXISTS ${identity} IDENTIFIED VIA mysql_native_password USING 'invalid' REQUIRE SSL`,
  );
  await administrator.query(`GRANT PROXY ON ${identity} TO ${login}`);
}

/** Replaces the text after `start` in the line that begins with it. undefined removes the line. */
function replaceLine(path: string, start: string, rest: string | undefined): void {
  const lines = readFileSync(path, "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith(start));
  if (rest !== undefined) lines.push(`${start}${rest}`);
  // Write in place, so that the server's user keeps the file.
  writeFileSync(path, lines.map((line) => `${line}\n`).join(""));
}
