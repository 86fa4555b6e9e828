/** Checks which settings of the cluster fit together, and which values are never accepted. */
import { serverSchemaOf } from "../sql/server-schemas.ts";

/**
 * @param cluster the section of the policy, perhaps invalid
 * @returns the settings that the link cannot honour, each with an alternative
 */
export function clusterMistakes(cluster: Record<string, unknown>): string[] {
  return [...repeatedHosts(cluster), ...databaseMistakes(cluster), ...linkMistakes(cluster)];
}

function repeatedHosts({ hosts }: Record<string, unknown>): string[] {
  if (!Array.isArray(hosts)) return [];
  const names = hosts.map((host) => String(host).toLowerCase());
  return [...new Set(names.filter((name, i) => names.indexOf(name) !== i))].map(
    (name) => `cluster.hosts: "${name}" stands there twice`,
  );
}

/**
 * Refuses a schema of the server as the database. In it, a table's name without a schema would mean a table
 * of the server, but the statement guard would read it as the caller's.
 */
function databaseMistakes({ database }: Record<string, unknown>): string[] {
  const schema = typeof database === "string" ? serverSchemaOf(database) : undefined;
  if (schema === undefined) return [];
  return [
    `cluster.database: "${schema}" is the server's own schema; name the database of the application's tables`,
  ];
}

function linkMistakes(cluster: Record<string, unknown>): string[] {
  const { link, trust, ca, tls_min, tls_max } = cluster;
  if (link === "platform") return platformMistakes(cluster);
  if (link !== "rustls") return [];
  const mistakes: string[] = [];
  if (trust === "public" || trust === "runtime") {
    mistakes.push(
      `cluster.trust: the link rustls has no CAs but those of a file; use trust = "bundle" with ca, or link = "platform"`,
    );
  }
  if (ca === undefined) mistakes.push(`cluster.ca: the link rustls needs it: ca = "ca/NAME.pem"`);
  if (tls_min === "TLSv1.3" && tls_max === "TLSv1.2")
    mistakes.push("cluster.tls_min: is above tls_max, so no version is left");
  return mistakes;
}

function platformMistakes(cluster: Record<string, unknown>): string[] {
  const mistakes = ["ca", "tls_min", "tls_max", "tls_server_name"]
    .filter((key) => cluster[key] !== undefined)
    .map((key) => `cluster.${key}: the platform link cannot honour it; use link = "rustls"`);
  if (cluster.trust === "bundle") {
    mistakes.push(
      `cluster.trust: the platform link takes no CAs of a file; use link = "rustls", or trust = "public" or "runtime"`,
    );
  }
  return mistakes;
}
