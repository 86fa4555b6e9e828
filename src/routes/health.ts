import type { Grant } from "../config/schema.ts";
import { ready } from "../db/client.ts";
import { TidegateError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { AppContext } from "./http.ts";
import { factory, poolContext } from "./http.ts";

/** Anybody may ask, so the answers name nothing, and the database is asked only every few seconds. */
export const health = factory
  .createApp()
  .get("/livez", (c) => c.json({ status: "live" }))
  .get("/readyz", async (c) => {
    await checkedLately(c);
    return c.json({ status: "ready" });
  });

/** The last outcome, good or bad, of this isolate. */
let last: { at: number; error?: TidegateError } | undefined;

/** @throws TidegateError when the database or an issuer's keys cannot be had, or could not a moment ago */
async function checkedLately(c: AppContext): Promise<void> {
  if (last === undefined || Date.now() - last.at >= limits.readinessAgeMs) {
    // Set first: whoever asks meanwhile is told what was true before, and starts nothing.
    const unknown = { error: new TidegateError("database_unreachable", {}, "not checked yet") };
    last = { ...(last ?? unknown), at: Date.now() };
    last = { at: Date.now(), ...(await check(c)) };
  }
  if (last.error) throw last.error;
}

async function check(c: AppContext): Promise<{ error?: TidegateError }> {
  const { config, verifier } = c.var;
  const checks = [...accountsInUse(config.grants)].map((account) => ready(poolContext(c), account));
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
