import { ConfigError } from "../../../src/config/policy.ts";

/** A policy with required keys only, as smol-toml returns it; a new copy for each call. */
export function good() {
  return {
    cluster: {
      engine: "mysql",
      hosts: ["db.example.com:3306"],
      database: "shop",
      link: "platform",
      trust: "public",
    },
    accounts: { reader: { user: "gw_reader", password: "READER_PASSWORD" } },
    issuers: [
      {
        issuer: "https://id.example.com/",
        audience: "tidegate",
        algorithms: ["ES256"],
        jwks_uri: "https://id.example.com/jwks.json",
      },
    ],
    grants: [
      {
        issuer: "https://id.example.com/",
        claims: { role: "analyst" },
        account: "reader",
        allow: ["query:*", "sql:read"],
      },
    ],
  };
}

/** Replaces parts at their paths (`accounts.reader.role`, `grants[0].allow`); undefined removes a part. */
export function change<T extends object>(value: T, parts: Record<string, unknown>): T {
  for (const [path, part] of Object.entries(parts)) {
    const keys = path.replaceAll(/\[(\d+)\]/g, ".$1").split(".");
    const last = keys.pop() ?? "";
    let at = value as Record<string, unknown>;
    for (const key of keys) at = at[key] as Record<string, unknown>;
    if (part === undefined) delete at[last];
    else at[last] = part;
  }
  return value;
}

/** @returns the mistakes of the ConfigError that `work` throws; none if it throws none. */
export function mistakesOf(work: () => unknown): readonly string[] {
  try {
    work();
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes;
    throw error;
  }
  return [];
}
