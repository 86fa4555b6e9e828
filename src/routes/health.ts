import type { Grant } from "../config/schema.ts";
import { TidegateError } from "../errors.ts";
import type { AppContext } from "./context.ts";
import { backendContext } from "./context.ts";
import type { Endpoint } from "./endpoints.ts";
import type { Finding } from "./shared-check.ts";
import { SharedCheck } from "./shared-check.ts";

/** Anybody may ask, so the answers name nothing. */
export const livez: Endpoint = {
  path: "/livez",
  isPublic: true,
  methods: { GET: () => Response.json({ status: "live" }) },
};

/** As `livez`. The database is asked only every few seconds. */
export const readyz: Endpoint = {
  path: "/readyz",
  isPublic: true,
  methods: {
    async GET(c) {
      await checkedLately(c);
      return Response.json({ status: "ready" });
    },
  },
};

/** The check of this isolate. */
const checking = new SharedCheck();

/** @throws TidegateError if the last check could not reach the database or get an issuer's keys */
async function checkedLately(c: AppContext): Promise<void> {
  const { error } = await checking.ask(
    () => check(c),
    (promise) => c.execution.waitUntil(promise),
  );
  if (error) throw error;
}

async function check(c: AppContext): Promise<Finding> {
  const { backend, config, verifier } = c;
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

/**
 * The accounts whose grants run statements. A failure of another account affects no caller. `operate` and
 * `metrics` open no connection.
 */
function accountsInUse(grants: readonly Grant[]): Set<string> {
  const running = grants.filter(({ allow }) =>
    allow.some((permission) => permission !== "operate" && permission !== "metrics"),
  );
  return new Set(running.map(({ account }) => account));
}
