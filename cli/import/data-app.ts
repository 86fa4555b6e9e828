import { z } from "zod";

/**
 * The files of a TiDB Cloud Data App:
 * https://docs.pingcap.com/tidbcloud/data-service-app-config-files/. Members that are not known are ignored.
 * Pure.
 */

/** 0 and 1; the console also writes false and true. */
const flag = z.union([z.boolean(), z.number()]).transform(Boolean).default(false);
const text = z
  .union([z.string(), z.null()])
  .default("")
  .transform((value) => value ?? "");
/** The documents say text; files also have the value itself. */
const scalar = z
  .union([z.string(), z.number(), z.boolean(), z.null()])
  .default("")
  .transform((value) => String(value ?? ""));
const id = z.union([z.string(), z.number()]).transform(String);

const parameter = z.object({
  name: z.string(),
  type: z.string().default("string"),
  required: flag,
  /** Values with commas between. */
  enum: z.union([scalar, z.array(scalar).transform((values) => values.join(","))]).default(""),
  default: scalar,
  description: text,
  is_path_parameter: flag,
});

const endpoint = z.object({
  name: text,
  description: text,
  method: z.string().transform((method) => method.toUpperCase()),
  endpoint: z.string(),
  data_source: z.object({ cluster_id: id.optional() }).default({}),
  params: z
    .array(parameter)
    .nullish()
    .transform((list) => list ?? []),
  settings: z
    .object({
      timeout: z.number().optional(),
      row_limit: z.number().optional(),
      enable_pagination: flag,
      cache_enabled: flag,
      cache_ttl: z.number().optional(),
    })
    .prefault({}),
  tag: text,
  batch_operation: flag,
  sql_file: text,
  type: z.string().default("sql_endpoint"),
  return_type: z.string().default("json"),
});

const app = z.object({ app_name: text, app_type: text, description: text });
const clusters = z.array(z.object({ cluster_id: id }));

export type DataParameter = z.output<typeof parameter>;
export type Endpoint = z.output<typeof endpoint>;

export interface DataApp {
  name: string;
  /** The linked clusters, the first one first; empty if no file names any. */
  clusters: string[];
  endpoints: Endpoint[];
}

export const files = {
  app: "dataapp_config.json",
  clusters: "data_sources/cluster.json",
  endpoints: "http_endpoints/config.json",
} as const;

/**
 * @param texts of the three files; only that of the endpoints is needed
 * @throws Error that names the file and the member
 */
export function readDataApp(texts: Partial<Record<keyof typeof files, string>>): DataApp {
  const { app_name: name } = parse(files.app, app, texts.app ?? "{}");
  const linked = parse(files.clusters, clusters, texts.clusters ?? "[]");
  const endpoints = parse(files.endpoints, z.array(endpoint), texts.endpoints ?? "");
  return { name, clusters: linked.map(({ cluster_id }) => cluster_id), endpoints };
}

function parse<T extends z.ZodType>(file: string, schema: T, json: string): z.output<T> {
  let value: unknown;
  try {
    // The ids of clusters have 19 digits, which a number does not keep.
    value = JSON.parse(json.replaceAll(/("cluster_id"\s*:\s*)(\d+)/g, '$1"$2"'));
  } catch (cause) {
    throw new Error(`${file} is not JSON: ${(cause as Error).message}`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Error(`${file}: ${issue?.path.join(".") || "the whole file"}: ${issue?.message}`);
}
