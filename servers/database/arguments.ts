import { join } from "node:path";
import type { DebianEngine, TlsMode } from "./engines.ts";

export interface ServerPaths {
  dataDirectory: string;
  /** Holds the pid file, the certificates and, if its path is short enough, the socket. */
  runDirectory: string;
  socket: string;
}

/** Little memory, no binary log, no wait for the disk: a power cut may lose test data. */
const shared = [
  "--skip-name-resolve",
  "--performance-schema=OFF",
  "--innodb-buffer-pool-size=64M",
  "--innodb-flush-log-at-trx-commit=2",
  // The default of 64 MB would be a quarter of the server's memory.
  "--innodb-log-buffer-size=4M",
  "--skip-log-bin",
  "--local-infile=OFF",
  "--default-time-zone=+00:00",
];

const perEngine: Record<DebianEngine, string[]> = {
  // --loose, because older versions lack some of these options.
  mysql: [
    "--loose-mysqlx=OFF",
    "--secure-file-priv=NULL",
    "--loose-innodb-redo-log-capacity=64M",
    "--loose-check-proxy-users=ON",
    "--loose-caching-sha2-password-proxy-users=ON",
    "--loose-sha256-password-proxy-users=ON",
    "--plugin-load-add=mysql_no_login=mysql_no_login.so",
  ],
  // Without option files, MariaDB 10.11 would use latin1.
  mariadb: ["--character-set-server=utf8mb4", "--innodb-log-file-size=64M", "--key-buffer-size=1M"],
};

/** The options for the TLS mode. The PEM files are in `tlsDirectory`. */
export function tlsArguments(engine: DebianEngine, mode: TlsMode, tlsDirectory: string): string[] {
  if (mode === "none") {
    return engine === "mysql"
      ? ["--tls-version=", "--loose-auto-generate-certs=OFF", "--require-secure-transport=OFF"]
      : ["--skip-ssl", "--require-secure-transport=OFF"];
  }
  return [
    `--ssl-ca=${join(tlsDirectory, "ca.pem")}`,
    `--ssl-cert=${join(tlsDirectory, "server.pem")}`,
    `--ssl-key=${join(tlsDirectory, "server.key")}`,
    "--tls-version=TLSv1.2,TLSv1.3",
    `--require-secure-transport=${mode === "required" ? "ON" : "OFF"}`,
  ];
}

/** The options that do not depend on where the server runs. */
export function commonArguments(engine: DebianEngine): string[] {
  return [...shared, ...perEngine[engine]];
}

/** The options that place a server on this machine. */
export function placeArguments(engine: DebianEngine, paths: ServerPaths, port: number): string[] {
  return [
    `--datadir=${paths.dataDirectory}`,
    `--socket=${paths.socket}`,
    `--pid-file=${join(paths.runDirectory, "server.pid")}`,
    `--port=${port}`,
    "--bind-address=127.0.0.1",
    // A starting server removes all temporary tables from this folder, also those of other servers.
    `--tmpdir=${join(paths.runDirectory, "tmp")}`,
    // MariaDB does not accept NULL here, so this names a folder that stays empty.
    ...(engine === "mariadb" ? [`--secure-file-priv=${join(paths.runDirectory, "files")}`] : []),
  ];
}

/**
 * One statement per line, as an init file needs. root may only log in from this machine, with this password.
 * The password must have no quotes and backslashes.
 */
export function administratorStatements(engine: DebianEngine, password: string): string {
  const proxy = engine === "mysql" ? ["GRANT PROXY ON ''@'' TO 'root'@'127.0.0.1' WITH GRANT OPTION"] : [];
  const statements = [
    `ALTER USER 'root'@'localhost' IDENTIFIED BY '${password}'`,
    `CREATE USER IF NOT EXISTS 'root'@'127.0.0.1' IDENTIFIED BY '${password}'`,
    `ALTER USER 'root'@'127.0.0.1' IDENTIFIED BY '${password}'`,
    "GRANT ALL ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION",
    ...proxy,
  ];
  return statements.map((statement) => `${statement};\n`).join("");
}
