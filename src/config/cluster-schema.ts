import { z } from "zod";
import { limits } from "../limits.ts";
import { hostSchema } from "./host.ts";

/** The schema of the policy's `[cluster]`. */

/** Location hints of Durable Objects, https://developers.cloudflare.com/durable-objects/reference/data-location/ */
const locations = ["wnam", "enam", "sam", "weur", "eeur", "apac", "oc", "afr", "me"] as const;
const tlsVersion = z.enum(["TLSv1.2", "TLSv1.3"]);

export const clusterSchema = z.strictObject({
  engine: z.enum(["mysql", "mariadb", "tidb"]),
  // hyperdrive-rules.ts requires hosts for every link except hyperdrive.
  hosts: z
    .array(hostSchema)
    .min(1)
    .max(limits.hosts)
    .optional()
    .transform((hosts) => hosts ?? []),
  database: z.string().min(1).max(64),
  location: z.enum(locations).optional(),
  link: z.enum(["platform", "rustls", "hyperdrive"], {
    error: `must be "platform", "rustls" or "hyperdrive"`,
  }),
  trust: z
    .enum(["public", "runtime", "bundle"], {
      error: `must be "public" (the platform's public CAs), "runtime" (the CAs that the runtime is started with) or, with link = "rustls", "bundle" (the CAs of the file that ca names)`,
    })
    .optional(),
  ca: z
    .string()
    .regex(/^ca\/[A-Za-z0-9_-][A-Za-z0-9._-]*\.pem$/, `must be "ca/NAME.pem", a file of the project`)
    .optional(),
  tls_min: tlsVersion.optional(),
  tls_max: tlsVersion.optional(),
  tls_server_name: z
    .string()
    .max(limits.hostnameCharacters)
    .regex(
      /^(?:[A-Za-z0-9_.-]+|(?:[0-9a-fA-F.]*:){2,}[0-9a-fA-F.]*)$/,
      "must be a DNS name or an IP address, without a port",
    )
    .optional(),
  caching: z
    .literal(
      "disabled",
      `must be "disabled": Hyperdrive's cache would answer with what was true a minute ago`,
    )
    .optional(),
  connect_timeout_ms: z
    .int()
    .min(limits.connectTimeoutFloorMs)
    .max(limits.connectTimeoutCeilingMs)
    .default(limits.connectTimeoutMs),
});
