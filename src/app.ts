import type { Bindings } from "./application.ts";
import { configOf } from "./application.ts";
import { askKeysObject } from "./auth/ask-keys.ts";
import { metadataPath } from "./auth/resource-metadata.ts";
import { createVerifier } from "./auth/verify.ts";
import { createBackend } from "./db/create-backend.ts";
import { TidegateError } from "./errors.ts";
import { hasAddressLimit, limitByAddress } from "./rate/ip-rate-limit.ts";
import { readAddress } from "./routes/address.ts";
import { authenticate } from "./routes/authorize.ts";
import { batch } from "./routes/batch.ts";
import { requests } from "./routes/cancel.ts";
import { catalog } from "./routes/catalog.ts";
import type { Deployment, Execution, ReadArrival } from "./routes/context.ts";
import { AppContext, arrivalOnCloudflare } from "./routes/context.ts";
import { hasPages, preflight } from "./routes/cors.ts";
import { docs } from "./routes/docs.ts";
import { drain } from "./routes/drain.ts";
import { allowOf, createRouter, pathOf } from "./routes/endpoints.ts";
import { publicError } from "./routes/errors.ts";
import { bareProblem, finish } from "./routes/finish.ts";
import { livez, readyz } from "./routes/health.ts";
import { demandNoKey } from "./routes/idempotent.ts";
import { schema } from "./routes/introspect.ts";
import { metrics } from "./routes/metrics.ts";
import { problemOf } from "./routes/problem.ts";
import { queries } from "./routes/queries.ts";
import { metadata } from "./routes/resource-metadata.ts";
import { sql } from "./routes/sql.ts";
import { transactions } from "./routes/transactions.ts";

const route = createRouter([
  livez,
  readyz,
  sql,
  batch,
  ...transactions,
  ...catalog,
  queries,
  requests,
  schema,
  drain,
  metrics,
  metadata,
  ...docs,
]);

/**
 * Answers every request, also a refused one, with one log line.
 * @param arrival reads where a request has come to, and from where
 */
export async function respond(
  request: Request,
  env: Bindings,
  execution: Execution,
  arrival: ReadArrival = arrivalOnCloudflare,
): Promise<Response> {
  const c = new AppContext(request, env, execution);
  try {
    return await finished(c, arrival);
  } catch (cause) {
    return bareProblem(c, cause);
  }
}

async function finished(c: AppContext, arrival: ReadArrival): Promise<Response> {
  let response: Response;
  let failure: TidegateError | undefined;
  try {
    response = await answer(c, arrival);
  } catch (cause) {
    failure = publicError(cause);
    response = problemOf(failure, c);
  }
  return await finish(c, response, failure);
}

/**
 * The path of a request, top to bottom (docs/explanation/architecture.md).
 * @throws TidegateError, StatementError or ParameterError: `respond` answers it
 */
async function answer(c: AppContext, arrival: ReadArrival): Promise<Response> {
  const path = pathOf(c.address);
  const found = route(c.method, path);
  if (found?.handler) c.route = found.endpoint.path;
  c.isOpen = found?.endpoint.isOpen ?? false;

  c.deployment = deploymentOf(c.env);
  // A preflight carries no token.
  if (c.method === "OPTIONS" && hasPages(c)) return preflight(c);
  const { url, host, client } = arrival(c);
  c.url = readAddress(url, host);

  // Before the token: checking it costs CPU time, and a good token costs a database connection.
  if (hasAddressLimit(c.env) && isLimited(path)) await limitByAddress(c.env, client);
  if (isIn("/v1/transactions", path)) demandNoKey(c);
  if (!found || found.endpoint.isOn?.(c.config) === false) throw new TidegateError("route_unknown");
  if (!found.handler) throw new TidegateError("method_not_allowed", { allow: allowOf(found.endpoint) });
  c.param = found.param;
  if (!found.endpoint.isPublic) await authenticate(c);
  return await found.handler(c);
}

/** The platform's probes may ask as often as they like whether the gateway is alive. */
function isLimited(path: string): boolean {
  return isIn("/v1", path) || path === "/metrics" || path === metadataPath || isIn("/docs", path);
}

function isIn(folder: string, path: string): boolean {
  return path.startsWith(folder) && (path.length === folder.length || path[folder.length] === "/");
}

/**
 * Built once per isolate and configuration: the verifier caches keys, and the backend remembers the state of
 * shards.
 */
let deployed: Deployment | undefined;

/** @throws TidegateError `misconfigured` */
function deploymentOf(env: Bindings): Deployment {
  const config = configOf(env);
  if (deployed?.config !== config) {
    const verifier = createVerifier(config.issuers, askKeysObject(env, config));
    deployed = { config, verifier, backend: createBackend(config) };
  }
  return deployed;
}
