import { join } from "node:path";
import { stringify } from "smol-toml";
import type { TlsMode } from "./engines.ts";

/**
 * TiDB's configuration file: its sections, and the settings before them.
 * https://docs.pingcap.com/tidb/stable/tidb-configuration-file
 */
export type TidbConfiguration = Record<string, Value | Record<string, Value>>;
type Value = string | number | boolean;

export interface TidbPlace {
  host: string;
  port: number;
  dataDirectory: string;
  temporaryDirectory: string;
  tlsDirectory: string;
  /**
   * The file with the public keys of tidb_auth_token, and a free port. TiDB reads the keys only if its status
   * port is on.
   */
  tokens?: { keys: string; statusPort: number } | undefined;
}

/**
 * The configuration file of a TiDB that keeps its data itself (unistore: TiKV and PD inside the process).
 * @param more settings that replace the ones here
 */
export function configurationFile(place: TidbPlace, mode: TlsMode, more: TidbConfiguration = {}): string {
  const tls = {
    "ssl-cert": join(place.tlsDirectory, "server.pem"),
    "ssl-key": join(place.tlsDirectory, "server.key"),
    // The lowest accepted version, as in TiDB Cloud Dedicated. TLS 1.3 is accepted too.
    "tls-version": "TLSv1.2",
  };
  const { tokens } = place;
  const sections: TidbConfiguration = {
    log: { level: "info" },
    status: {
      "report-status": tokens !== undefined,
      ...(tokens && { "status-host": "127.0.0.1", "status-port": tokens.statusPort }),
    },
    security: {
      "auto-tls": false,
      ...(mode === "none" ? {} : tls),
      ...(tokens && { "auth-token-jwks": tokens.keys }),
    },
    // The slow log would hold values of statements.
    instance: { tidb_enable_slow_log: false },
  };
  for (const [name, value] of Object.entries(more)) {
    const before = sections[name];
    const merge = typeof value === "object" && typeof before === "object";
    sections[name] = merge ? { ...before, ...value } : value;
  }
  return stringify({
    host: place.host,
    port: place.port,
    store: "unistore",
    path: place.dataDirectory,
    // No unix socket: its path may be too long.
    socket: "",
    // One region for all tables, so that a transaction is one write (tidb_enable_1pc): see `settle` in
    // launch.ts.
    "split-table": false,
    "temp-dir": place.temporaryDirectory,
    ...sections,
  });
}
