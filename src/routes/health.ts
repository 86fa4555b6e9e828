import { ready } from "../db/pool/client.ts";
import { TidegateError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { AppContext } from "./http.ts";
import { factory } from "./http.ts";

/** Anybody may ask, so the answers name nothing, and the database is asked only every few seconds. */
export const health = factory
  .createApp()
  .get("/livez", (c) => c.json({ status: "live" }))
  .get("/readyz", async (c) => {
    await checkedLately(c);
    return c.json({ status: "ready" });
  });

let lastSuccess = 0;

async function checkedLately(c: AppContext): Promise<void> {
  if (Date.now() - lastSuccess < limits.readinessAgeMs) return;
  const { config, verifier } = c.var;
  const accounts = [...config.accounts.keys()];
  await Promise.all([verifier.ready(), ...accounts.map((account) => ready(c.env, config, account))]).catch(
    (cause: unknown) => {
      throw cause instanceof TidegateError
        ? cause
        : new TidegateError("database_unreachable", {}, String(cause));
    },
  );
  lastSuccess = Date.now();
}
