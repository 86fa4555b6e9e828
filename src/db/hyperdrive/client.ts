import type { Account, Config } from "../../config/config.ts";
import { asTidegateError, TidegateError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import { observe, serverTiming } from "../../telemetry.ts";
import { platformTimers } from "../../timers.ts";
import { within } from "../../within.ts";
import { answer } from "../answer/respond.ts";
import type { ExecuteWork } from "../pool/messages/protocol.ts";
import type { PoolContext } from "../pool/worker/pool-rpc.ts";
import { HyperdriveSession } from "./session.ts";

/**
 * Has a statement executed through the account's Hyperdrive binding, in this Worker: Hyperdrive keeps the
 * connections, so there is no Pool object.
 * @returns the answer, encoded and perhaps still streaming
 * @throws TidegateError
 */
export async function executeHere(
  context: PoolContext,
  account: string,
  work: ExecuteWork,
): Promise<Response> {
  const started = Date.now();
  const session = await open(context, account);
  const connected = Date.now();
  const { deadlineMs } = work.ceilings;
  // The session knows what that means for the statement, which may be in the middle of its COMMIT.
  const timer = setTimeout(() => session.expire(`The deadline is ${deadlineMs} ms.`), deadlineMs);
  const runner = {
    run: (statement: ExecuteWork, sink: Parameters<HyperdriveSession["run"]>[1]) =>
      session.run(statement, sink, deadlineMs),
    timers: platformTimers,
    pause: () => session.pause(),
    resume: () => session.resume(),
    stop: () => session.destroy(),
    explain: asTidegateError,
  };
  const answered = answer(runner, work, context.requestId, (broken) => {
    clearTimeout(timer);
    session.close();
    if (broken) observeBroken(context, account, broken);
  });
  try {
    const response = await answered;
    const timings = { queueMs: 0, connectMs: connected - started, databaseMs: Date.now() - connected };
    response.headers.set("server-timing", serverTiming(timings));
    return response;
  } catch (cause) {
    throw observeRefusal(account, cause);
  }
}

/** @throws TidegateError when the account has no working connection to the database */
export async function readyHere(context: PoolContext, account: string): Promise<void> {
  const session = await open(context, account);
  const late = () => {
    session.destroy();
    throw new TidegateError("connection_lost", { retryAfter: limits.retryAfterSeconds }, "no reply in time");
  };
  try {
    await within(session.ready(), limits.commandDeadlineMs, late);
  } catch (cause) {
    const error = asTidegateError(cause);
    if (error.code !== "connection_lost") throw observeRefusal(account, error);
    throw new TidegateError("database_unavailable", error.details, error.operator);
  } finally {
    session.close();
  }
}

async function open({ env, config }: PoolContext, name: string): Promise<HyperdriveSession> {
  const account = accountOf(config, name);
  const { credential } = account;
  const bindings = env as unknown as Record<string, Hyperdrive | undefined>;
  const binding = "binding" in credential ? bindings[credential.binding] : undefined;
  if (!binding) throw new TidegateError("misconfigured", {}, `${name} has no Hyperdrive binding`);
  try {
    return await HyperdriveSession.open(binding, config.cluster, account);
  } catch (cause) {
    throw observeRefusal(name, cause);
  }
}

function accountOf(config: Config, name: string): Account {
  const account = config.accounts.get(name);
  if (!account) throw new TidegateError("internal", {}, "Hyperdrive was asked for an unknown account");
  return account;
}

/** The operator looks for these lines, whichever link there is. */
function observeRefusal(account: string, cause: unknown): TidegateError {
  const error = asTidegateError(cause);
  // Unavailable is what a server says to a statement; the others are about the connection.
  if (error.code.startsWith("database_") && error.code !== "database_unavailable") {
    observe({ event: "connection_refused", account, code: error.code, reason: error.operator ?? "" });
  }
  return error;
}

function observeBroken({ requestId }: PoolContext, account: string, error: TidegateError): void {
  const reason = error.operator === undefined ? {} : { reason: error.operator };
  observe({ event: "work_failed", request_id: requestId, account, code: error.code, ...reason });
}
