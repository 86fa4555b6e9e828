import type { Config } from "../config/config.ts";
import type { Family } from "../exposition.ts";
import { expose, expositionType } from "../exposition.ts";
import { admit, authenticated } from "./authorize.ts";
import { backendContext, factory } from "./http.ts";

/** `GET /metrics`: for a Prometheus that brings a token. It names accounts, so it is not for everybody. */
export const metrics = factory.createApp().get("/", authenticated, async (c) => {
  await admit(c, "metrics");
  // The log says what was asked about, not which account the grant names.
  c.set("account", "*");
  const families = [infoOf(c.var.config), ...(await c.var.backend.metrics(backendContext(c)))];
  return c.body(expose(families), 200, { "content-type": expositionType });
});

/** @returns which gateway this is */
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
