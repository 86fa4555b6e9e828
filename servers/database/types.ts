import type { Child, Exit } from "../child.ts";
import type { Engine, TlsMode } from "./engines.ts";
import type { TidbConfiguration } from "./tidb-configuration.ts";

/** What the server shows its clients, as PEM texts. `ensurePki` and `authority.issue` make them. */
export interface ServerPki {
  ca: string;
  /** The server's certificate, with intermediates after it if there are any. */
  certificate: string;
  key: string;
}

export interface StartOptions {
  engine: Engine;
  /** Everything of this one server: data, certificates, log, password. Made if missing. */
  directory: string;
  /** 0 or omitted: a free one. */
  port?: number;
  pki: ServerPki;
  /** Default: "required". */
  tls?: TlsMode;
  /** MariaDB from Debian packages only: accounts may let PAM check passwords. See `createPamUser`. */
  pam?: boolean;
  /**
   * Added last, so that they win: "--check-proxy-users=OFF". With "--skip-grant-tables" MySQL takes
   * connections by its unix socket only, and this process carries `port` there.
   */
  extraArguments?: string[];
  /** TiDB only: added to its configuration file, section by section; see tidb-configuration.ts. */
  configuration?: TidbConfiguration;
  /**
   * TiDB only: a file with the public keys (JWKS, RFC 7517) of users that log in with tidb_auth_token. TiDB reads it again
   * when a token fits none of the keys that it has.
   */
  tokenKeys?: string;
  log: (line: string) => void;
}

/** A running server. */
export interface DatabaseServer {
  engine: Engine;
  /** As the server announces it: "9.7.4-2", "10.11.18-MariaDB-0+deb12u1". */
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
  /** Ends the server: SIGTERM, SIGKILL after 10 s. Resolves when the process is gone. May be called again. */
  stop(): Promise<void>;
  /** SIGKILL, as in a crash. Resolves when the process is gone. */
  kill(): Promise<void>;
  /** Resolves when the process is gone, whoever ended it. */
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
  /** What the server writes into its log when it takes connections. */
  readyMark: string;
  /** Settles what can be set only while the server runs. */
  settle?(): Promise<void>;
  /** Removes what is of use only while the server runs. */
  cleanUp(): void;
}
