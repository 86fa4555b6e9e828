import { collect } from "../db/pool/worker/scrape.ts";
import { expose, expositionType } from "../exposition.ts";
import { admit, authenticated } from "./authorize.ts";
import { factory, poolContext } from "./http.ts";

/** `GET /metrics`: for a Prometheus that brings a token. It names accounts, so it is not for everybody. */
export const metrics = factory.createApp().get("/", authenticated, async (c) => {
  await admit(c, "metrics");
  // The log says what was asked about, not which account the grant names.
  c.set("account", "*");
  return c.body(expose(await collect(poolContext(c))), 200, { "content-type": expositionType });
});
