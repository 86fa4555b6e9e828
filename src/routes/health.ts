import type { Grant } from "../config/schema.ts";
import { TidegateError } from "../errors.ts";
import type { AppContext } from "./http.ts";
import { backendContext, factory } from "./http.ts";
import type { Finding } from "./shared-check.ts";
import { SharedCheck } from "./shared-check.ts";

/** Anybody may ask, so the answers name nothing, and the database is asked only every few seconds. */
export const health = factory
  .createApp()
  .get("/livez", (c) => c.json({ status: "live" }))
  .get("/readyz", async (c) => {
    await checkedLately(c);
    return c.json({ status: "ready" });
  });

/** Of this isolate. */
const checking = new SharedCheck();

/** @throws TidegateError when the database or an issuer's keys cannot be had, or could not a moment ago */
async function checkedLately(c: AppContext): Promise<void> {
  const { error } = await checking.ask(
    () => check(c),
    (promise) => c.executionCtx.waitUntil(promise),
  );
  if (error) throw error;
}

async function check(c: AppContext): Promise<Finding> {
  const { backend, config, verifier } = c.var;
  const checks = [...accountsInUse(config.grants)].map((account) =>
    backend.ready(backendContext(c), account),
  );
  try {
    await Promise.all([verifier.ready(), ...checks]);
    return {};
  } catch (cause) {
    return {
      error:
        cause instanceof TidegateError ? cause : new TidegateError("database_unreachable", {}, String(cause)),
    };
  }
}

/** The failure of an account that no grant runs statements with affects no caller. `operate` and `metrics` open no connection. */
function accountsInUse(grants: readonly Grant[]): Set<string> {
  const running = grants.filter(({ allow }) =>
    allow.some((permission) => permission !== "operate" && permission !== "metrics"),
  );
  return new Set(running.map(({ account }) => account));
}
