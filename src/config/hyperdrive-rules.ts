/**
 * Checks which settings fit `link = "hyperdrive"`. Hyperdrive holds the address, the TLS settings and the
 * password, and lends a connection for one transaction only (docs/guides/hyperdrive.md).
 */

type Table = Record<string, unknown>;

const itsTls = "Hyperdrive verifies the server, with the CA and the sslmode of its configuration";

const ofTheCluster: Record<string, string> = {
  hosts: "the Hyperdrive configuration has the address",
  trust: itsTls,
  ca: itsTls,
  tls_min: itsTls,
  tls_max: itsTls,
  tls_server_name: itsTls,
  location: "there is no Pool object, and Hyperdrive places its connections itself",
};

const ofTheAccount: Record<string, string> = {
  password: "the Hyperdrive configuration has it",
  token: "Hyperdrive logs in with passwords only",
  plugin: "Hyperdrive logs in, and chooses the method",
  cleartext: "Hyperdrive logs in, and sends no password as it is",
  role: "it would have to be taken in every transaction, and stay behind on a connection that others get; grant the login its rights directly, or let it act as an identity (acts_as)",
  shards: "there is no Pool object",
  connections_per_shard: "Hyperdrive has the connections; set how many with wrangler hyperdrive update",
  connections_per_caller: "Hyperdrive has the connections, and shares them out",
  lifetime_s: "Hyperdrive has the connections",
  idle_s: "Hyperdrive has the connections",
  restore: "nothing is restored: each statement has a transaction of its own",
  queue_length: "there is no Pool object, and so no queue",
  queue_wait_ms: "there is no Pool object, and so no queue",
};

/**
 * @param cluster as written in the policy, before defaults; the other parameters too
 * @returns the mistakes that concern Hyperdrive, one line each
 */
export function hyperdriveMistakes(
  cluster: Table,
  accounts: Record<string, Table>,
  grants: readonly unknown[],
): string[] {
  if (cluster.link !== "hyperdrive") return otherLinkMistakes(cluster, accounts);
  const bindings = Object.values(accounts).map(({ hyperdrive }) => hyperdrive);
  return [
    ...refused(cluster, "cluster", ofTheCluster),
    ...(cluster.caching === undefined
      ? [
          `cluster.caching: must be "disabled", for which you have looked: npx wrangler hyperdrive get ID (it is on unless turned off)`,
        ]
      : []),
    ...Object.entries(accounts).flatMap(([name, account]) => [
      ...(account.hyperdrive === undefined
        ? [`accounts.${name}.hyperdrive: is needed with the link hyperdrive`]
        : []),
      ...refused(account, `accounts.${name}`, ofTheAccount),
    ]),
    ...bindings
      .filter((binding, i) => binding !== undefined && bindings.indexOf(binding) !== i)
      .map((binding) => `accounts: the Hyperdrive binding "${binding}" has one login, so one account has it`),
    ...grants.flatMap((grant, i) => grantMistakes((grant ?? {}) as Table, `grants[${i}]`)),
  ];
}

function grantMistakes({ max_concurrent, allow }: Table, at: string): string[] {
  return [
    ...(max_concurrent === undefined
      ? []
      : [
          `${at}.max_concurrent: cannot be kept with the link hyperdrive: there is no one place where all statements pass`,
        ]),
    ...(Array.isArray(allow) && allow.includes("transaction")
      ? [
          `${at}.allow: transaction does not go with the link hyperdrive: a connection is lent for one request`,
        ]
      : []),
  ];
}

function otherLinkMistakes(cluster: Table, accounts: Record<string, Table>): string[] {
  return [
    // The schema does not report these missing settings, because they are optional there.
    ...["hosts", "trust"]
      .filter((key) => cluster[key] === undefined)
      .map((key) => `cluster.${key}: is needed`),
    ...(cluster.caching === undefined
      ? []
      : [`cluster.caching: goes with the link hyperdrive; nothing else caches`]),
    ...Object.entries(accounts)
      .filter(([, account]) => account.hyperdrive !== undefined)
      .map(([name]) => `accounts.${name}.hyperdrive: goes with the link hyperdrive`),
  ];
}

function refused(table: Table, at: string, reasons: Record<string, string>): string[] {
  return Object.entries(reasons)
    .filter(([key]) => table[key] !== undefined)
    .map(([key, reason]) => `${at}.${key}: does not go with the link hyperdrive: ${reason}`);
}

/**
 * @param binding the value in the Worker's env with this name
 * @returns the mistakes of the binding, one line each
 */
export function bindingMistakes(name: string, binding: unknown, database: string): string[] {
  const { connect, database: bound } = (binding ?? {}) as { connect?: unknown; database?: unknown };
  if (typeof connect !== "function") {
    return [
      `the Hyperdrive binding ${name} is missing: put it into hyperdrive of [env.NAME.worker] in tidegate.toml, with its id`,
    ];
  }
  if (bound === database) return [];
  return [`the Hyperdrive binding ${name} leads to the database "${bound}", not to "${database}"`];
}
