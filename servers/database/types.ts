import type { Child, Exit } from "../child.ts";
import type { Engine, TlsMode } from "./engines.ts";
import type { TidbConfiguration } from "./tidb-configuration.ts";

/** The server's TLS, as PEM texts. `ensurePki` and `authority.issue` make them. */
export interface ServerPki {
  ca: string;
  /** The server's certificate, then its intermediates if there are any. */
  certificate: string;
  key: string;
}

export interface StartOptions {
  engine: Engine;
  /** All files of this server: data, certificates, log, password. The folder is made if it is missing. */
  directory: string;
  /** If 0 or omitted, a free port. */
  port?: number;
  pki: ServerPki;
  /** Default: "required". */
  tls?: TlsMode;
  /** MariaDB from Debian packages only: accounts may let PAM check passwords. See `createPamUser`. */
  pam?: boolean;
  /**
   * Added last, so that they replace others: "--check-proxy-users=OFF". With "--skip-grant-tables" MySQL only
   * listens on its unix socket. Then this process forwards `port` to it.
   */
  extraArguments?: string[];
  /** TiDB only: added to its configuration file, section by section; see tidb-configuration.ts. */
  configuration?: TidbConfiguration;
  /**
   * TiDB only: a file with the public keys (JWKS, RFC 7517) of users that log in with tidb_auth_token. TiDB
   * reads the file again when no known key fits a token.
   */
  tokenKeys?: string;
  log: (line: string) => void;
}

/** A running server. */
export interface DatabaseServer {
  engine: Engine;
  /** The version that the server announces: "9.7.4-2", "10.11.18-MariaDB-0+deb12u1". */
  version: string;
  host: "127.0.0.1";
  port: number;
  tls: TlsMode;
  /** The unix socket's path; undefined when the server is in a container. */
  socket: string | undefined;
  administrator: { user: "root"; password: string };
  /** The certificate of the authority in `pki`, in a file. */
  caPath: string;
  pid: number;
  /** Undefined when the server is in a container. */
  dataDirectory: string | undefined;
  /** Where PAM's files are; undefined when the server was started without PAM. */
  pamDirectory?: string | undefined;
  /** The server's own log. */
  logPath: string;
  /**
   * Ends the server: sends SIGTERM, and SIGKILL after 10 s. Resolves when the process is gone. It may be
   * called again.
   */
  stop(): Promise<void>;
  /** Sends SIGKILL, like a crash. Resolves when the process is gone. */
  kill(): Promise<void>;
  /** Resolves when the process is gone, for any reason. */
  exited: Promise<Exit>;
}

/** A server that was started and may not be ready yet. */
export interface Launched {
  child: Child;
  password: string;
  socket: string | undefined;
  dataDirectory: string | undefined;
  /** Where PAM's files are; undefined without PAM. */
  pamDirectory?: string | undefined;
  /** The text in the server's log that shows that it accepts connections. */
  readyMark: string;
  /** Applies settings that need a running server. */
  settle?(): Promise<void>;
  /** Removes files that only a running server needs. */
  cleanUp(): void;
}
