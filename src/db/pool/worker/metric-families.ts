import type { Config } from "../../../config/config.ts";
import type { Family, Sample } from "../../../exposition.ts";
import type { ShardMetrics } from "../messages/counters.ts";

/** Makes the pools' part of /metrics from the counts of the shards. Pure. */

/** A shard and its answer. */
export interface ScrapedShard {
  labels: { account: string; shard: string };
  /** Undefined if the shard failed or did not answer in time. */
  metrics: ShardMetrics | undefined;
}

/** Reads one value from a shard's metrics, or one value per value of a label. */
type Read =
  | { read: (metrics: ShardMetrics) => Sample["value"] }
  | { by: string; read: (metrics: ShardMetrics) => Record<string, number> };

const ofShards: readonly (Omit<Family, "samples"> & Read)[] = [
  {
    name: "tidegate_shard_start_time_seconds",
    type: "gauge",
    help: "Since when the pool counts, in seconds since 1970.",
    read: ({ startedMs }) => startedMs / 1000,
  },
  {
    name: "tidegate_pool_connections",
    type: "gauge",
    help: "Connections now: idle, busy (in use or being restored), opening (logins under way), closing.",
    by: "state",
    read: ({ gauges: { idle, busy, opening, closing } }) => ({ idle, busy, opening, closing }),
  },
  {
    name: "tidegate_pool_connections_limit",
    type: "gauge",
    help: "How many connections the pool may have.",
    read: ({ limit }) => limit,
  },
  {
    name: "tidegate_pool_tls_handshakes_total",
    type: "counter",
    help: "TLS handshakes with the server: full ones, and resumed sessions.",
    by: "kind",
    read: ({ handshakes = {} }) => handshakes,
  },
  {
    name: "tidegate_pool_waiting",
    type: "gauge",
    help: "Requests that wait for a connection now.",
    read: ({ gauges }) => gauges.waiting,
  },
  {
    name: "tidegate_pool_connections_created_total",
    type: "counter",
    help: "Connections that were let in and proven.",
    read: ({ created }) => created,
  },
  {
    name: "tidegate_pool_connections_closed_total",
    type: "counter",
    help: "Connections that ended, by reason.",
    by: "reason",
    read: ({ closed }) => closed,
  },
  {
    name: "tidegate_pool_logins_failed_total",
    type: "counter",
    help: "Connections that were not to be had, by error code.",
    by: "code",
    read: ({ refused }) => refused,
  },
  {
    name: "tidegate_pool_unserved_total",
    type: "counter",
    help: "Requests that got no connection, by error code.",
    by: "code",
    read: ({ unserved }) => unserved,
  },
  {
    name: "tidegate_pool_acquire_wait_seconds",
    type: "histogram",
    help: "How long requests waited for the connection that they got.",
    read: ({ wait }) => wait,
  },
  {
    name: "tidegate_statement_duration_seconds",
    type: "histogram",
    help: "How long statements took, from having a connection to the last byte of the answer.",
    read: ({ statements }) => statements,
  },
  {
    name: "tidegate_pool_restores_total",
    type: "counter",
    help: "Sessions restored after a statement.",
    by: "result",
    read: ({ restores }) => restores,
  },
  {
    name: "tidegate_pool_kills_total",
    type: "counter",
    help: "Statements stopped at their deadline or by their caller; ok if the server acknowledged.",
    by: "result",
    read: ({ kills }) => kills,
  },
];

/** @param shards the shards of all accounts */
export function families(
  { authorities }: Pick<Config, "authorities">,
  shards: readonly ScrapedShard[],
): Family[] {
  return [
    {
      name: "tidegate_shard_up",
      type: "gauge",
      help: "Whether the pool answered in time.",
      samples: shards.map(({ labels, metrics }) => ({ labels, value: metrics ? 1 : 0 })),
    },
    ...ofShards.map(({ name, type, help, ...read }) => ({
      ...{ name, type, help },
      samples: shards.flatMap((shard) => samplesOf(shard, read)),
    })),
    {
      name: "tidegate_certificate_expiry_timestamp_seconds",
      type: "gauge",
      help: "When a certificate expires, in seconds since 1970.",
      samples: [
        ...shards.flatMap(({ labels, metrics }) => {
          if (!metrics?.certificate) return [];
          const { subject, notAfterMs } = metrics.certificate;
          return [{ labels: { ...labels, kind: "server", subject }, value: notAfterMs / 1000 }];
        }),
        // Two CAs may have the same name, but a label set may occur only once in the exposition.
        ...[...Map.groupBy(authorities, ({ subject }) => subject)].map(([subject, same]) => ({
          labels: { kind: "ca", subject },
          value: Math.max(...same.map(({ notAfter }) => Date.parse(notAfter))) / 1000,
        })),
      ],
    },
  ];
}

function samplesOf({ labels, metrics }: ScrapedShard, read: Read): Sample[] {
  if (!metrics) return [];
  if (!("by" in read)) return [{ labels, value: read.read(metrics) }];
  return Object.entries(read.read(metrics)).map(([name, value]) => ({
    labels: { ...labels, [read.by]: name },
    value,
  }));
}
