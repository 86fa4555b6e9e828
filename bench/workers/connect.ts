import type { Account, Authority } from "../../src/config/config.ts";
import type { Cluster } from "../../src/config/schema.ts";
import { answer } from "../../src/db/answer/respond.ts";
import type { Runner } from "../../src/db/answer/runner.ts";
import { toResponse } from "../../src/db/encode/encoded-answer.ts";
import { selectLink } from "../../src/db/links/select.ts";
import { firstAttempt } from "../../src/db/mysql/session/login.ts";
import { Session } from "../../src/db/mysql/session/session.ts";
import { WarnedStatements } from "../../src/db/mysql/session/warned-statements.ts";
import { asTidegateError, TidegateError } from "../../src/errors.ts";
import { countryWork } from "./work.ts";

/** What bench/lib/variants.ts binds. */
interface Bindings {
  /** JSON, as the next one. */
  CLUSTER: string;
  ACCOUNT: string;
  AUTHORITIES: string;
  SQL: string;
}

interface Target {
  cluster: Cluster;
  authorities: Authority[];
  account: Account;
}

let target: Target | undefined;

/** Without a pool: each request dials, logs in, proves the identity, runs one statement and says goodbye. */
export default {
  async fetch(request, env, context): Promise<Response> {
    target ??= {
      cluster: JSON.parse(env.CLUSTER) as Cluster,
      authorities: JSON.parse(env.AUTHORITIES) as Authority[],
      account: JSON.parse(env.ACCOUNT) as Account,
    };
    const { cluster, authorities, account } = target;
    const work = countryWork(env.SQL, new URL(request.url).searchParams.get("code") ?? "");
    try {
      const opening = { ...firstAttempt(cluster), warned: new WarnedStatements() };
      const session = await Session.open(selectLink({ cluster, authorities }), cluster, account, opening);
      context.waitUntil(session.lost);
      const runner: Runner = {
        run: (statement, sink) => session.run(statement, sink),
        timers: session.timers,
        pause: () => session.pause(),
        resume: () => session.resume(),
        stop: () => session.destroy(),
        explain: asTidegateError,
      };
      return toResponse(await answer(runner, work, "bench", () => session.close()), "");
    } catch (cause) {
      const reason = cause instanceof TidegateError ? `${cause.code}: ${cause.operator}` : String(cause);
      return new Response(reason, { status: 500 });
    }
  },
} satisfies ExportedHandler<Bindings>;
