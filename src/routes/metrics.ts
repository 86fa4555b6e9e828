import type { Config } from "../config/config.ts";
import type { Family } from "../exposition.ts";
import { expose, expositionType } from "../exposition.ts";
import { admit } from "./authorize.ts";
import type { AppContext } from "./context.ts";
import { backendContext } from "./context.ts";
import type { Endpoint } from "./endpoints.ts";

/** `GET /metrics`: for a Prometheus with a token. It names accounts, so it is not public. */
export const metrics: Endpoint = { path: "/metrics", methods: { GET: scrape } };

async function scrape(c: AppContext): Promise<Response> {
  await admit(c, "metrics");
  // The log shows that all accounts are meant, not the grant's account.
  c.account = "*";
  const families = [infoOf(c.config), ...(await c.backend.metrics(backendContext(c)))];
  return new Response(expose(families), { headers: { "content-type": expositionType } });
}

/** @returns a metric with labels for this gateway */
export function infoOf({
  environment,
  cluster: { engine, link },
}: Pick<Config, "environment" | "cluster">): Family {
  return {
    name: "tidegate_info",
    type: "gauge",
    help: "Always 1; the labels say which gateway this is.",
    samples: [{ labels: { environment, engine, link }, value: 1 }],
  };
}
