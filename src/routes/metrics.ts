import type { Config } from "../config/config.ts";
import type { Family } from "../exposition.ts";
import { expose, expositionType } from "../exposition.ts";
import { admit, authenticated } from "./authorize.ts";
import { backendContext, factory } from "./http.ts";

/** `GET /metrics`: for a Prometheus with a token. It names accounts, so it is not public. */
export const metrics = factory.createApp().get("/", authenticated, async (c) => {
  await admit(c, "metrics");
  // The log shows that all accounts are meant, not the grant's account.
  c.set("account", "*");
  const families = [infoOf(c.var.config), ...(await c.var.backend.metrics(backendContext(c)))];
  return c.body(expose(families), 200, { "content-type": expositionType });
});

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
