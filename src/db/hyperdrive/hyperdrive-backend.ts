import type { Account, Config } from "../../config/config.ts";
import { asTidegateError, TidegateError } from "../../errors.ts";
import type { Family } from "../../exposition.ts";
import { limits } from "../../limits.ts";
import { observe, serverTiming } from "../../telemetry.ts";
import { platformTimers } from "../../timers.ts";
import { within } from "../../within.ts";
import { answer } from "../answer/respond.ts";
import type { Runner } from "../answer/runner.ts";
import type { Backend, BackendContext } from "../contract/backend.ts";
import type {
  DrainedAccount,
  ExecuteRequest,
  PageAnswer,
  PageRequest,
  ReadAllRequest,
} from "../contract/requests.ts";
import type { EncodedAnswer } from "../encode/encoded-answer.ts";
import { pageEndOf, toResponse } from "../encode/encoded-answer.ts";
import { contentTypes } from "../encode/formats.ts";
import { adaptStatement } from "../request/adapt-statement.ts";
import { HyperdriveSession } from "./session.ts";

/**
 * The Backend that uses the accounts' Hyperdrive bindings. Hyperdrive keeps the connections, so this Worker
 * executes the statements, and there is no Pool object.
 */
export class HyperdriveBackend implements Backend {
  readonly #config: Config;

  constructor(config: Config) {
    this.#config = config;
  }

  async execute(context: BackendContext, account: string, request: ExecuteRequest): Promise<Response> {
    const { encoded, timings } = await this.#execute(context, account, request);
    return toResponse(encoded, timings);
  }

  async page(context: BackendContext, account: string, request: PageRequest): Promise<PageAnswer> {
    const { encoded, timings } = await this.#execute(context, account, request);
    return { response: toResponse(encoded, timings), end: pageEndOf(encoded) };
  }

  async #execute(
    context: BackendContext,
    account: string,
    request: ExecuteRequest,
  ): Promise<{ encoded: EncodedAnswer; timings: string }> {
    const adapted = adaptStatement(this.#config, account, request);
    const started = Date.now();
    const session = await this.#open(context, account);
    const connected = Date.now();
    const { deadlineMs } = adapted.ceilings;
    // The session decides the outcome: the statement may be in the middle of its COMMIT.
    const timer = setTimeout(() => session.expire(`The deadline is ${deadlineMs} ms.`), deadlineMs);
    const runner: Runner = {
      run: (statement, sink) => session.run(statement, sink, deadlineMs),
      timers: platformTimers,
      pause: () => session.pause(),
      resume: () => session.resume(),
      stop: () => session.destroy(),
      explain: asTidegateError,
    };
    const answered = answer(runner, adapted, context.requestId, (broken) => {
      clearTimeout(timer);
      session.close();
      if (broken) observeBroken(context, account, broken);
    });
    try {
      const encoded = await answered;
      const timings = { queueMs: 0, connectMs: connected - started, databaseMs: Date.now() - connected };
      return { encoded, timings: serverTiming(timings) };
    } catch (cause) {
      throw observeRefusal(account, cause);
    }
  }

  async batch(): Promise<never> {
    throw unsupported("There are no batches through Hyperdrive.");
  }

  /** Each statement is a transaction of its own. Together they have the ceilings of one. */
  async readAll(
    context: BackendContext,
    account: string,
    { caller, statements, ceilings }: ReadAllRequest,
  ): Promise<Response> {
    const results: string[] = [];
    let { bytes } = ceilings;
    const deadline = Date.now() + ceilings.deadlineMs;
    for (const { sql, values } of statements) {
      const deadlineMs = Math.max(limits.statementDeadlineFloorMs, deadline - Date.now());
      const request = { ...read, caller, sql, values, ceilings: { ...ceilings, bytes, deadlineMs } };
      const text = await (await this.execute(context, account, request)).text();
      bytes -= Buffer.byteLength(text);
      results.push(text);
    }
    return new Response(`{"results":[${results.join(",")}]}`, {
      headers: { "content-type": contentTypes.json },
    });
  }

  async begin(): Promise<never> {
    throw noTransactions();
  }

  async executeIn(): Promise<never> {
    throw noTransactions();
  }

  async end(): Promise<never> {
    throw noTransactions();
  }

  async cancel(): Promise<never> {
    throw unsupported("Nothing can be cancelled through Hyperdrive: it has no connection for KILL.");
  }

  async ready(context: BackendContext, account: string): Promise<void> {
    const session = await this.#open(context, account);
    const late = () => {
      session.destroy();
      throw new TidegateError(
        "connection_lost",
        { retryAfter: limits.retryAfterSeconds },
        "no reply in time",
      );
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

  /** Closes nothing: Hyperdrive keeps the connections and ends them by its own rules. */
  async drain(_: BackendContext, accounts: readonly string[]): Promise<DrainedAccount[]> {
    return accounts.map((account) => {
      return { account, shards: this.#accountOf(account).shards, idle: 0, busy: 0, opening: 0 };
    });
  }

  /** No pool counts anything here. */
  async metrics(): Promise<Family[]> {
    return [];
  }

  async #open({ env }: BackendContext, name: string): Promise<HyperdriveSession> {
    const account = this.#accountOf(name);
    const { credential } = account;
    const bindings = env as unknown as Record<string, Hyperdrive | undefined>;
    const binding = "binding" in credential ? bindings[credential.binding] : undefined;
    if (!binding) throw new TidegateError("misconfigured", {}, `${name} has no Hyperdrive binding`);
    try {
      return await HyperdriveSession.open(binding, this.#config.cluster, account);
    } catch (cause) {
      throw observeRefusal(name, cause);
    }
  }

  #accountOf(name: string): Account {
    const account = this.#config.accounts.get(name);
    if (!account) throw new TidegateError("internal", {}, "Hyperdrive was asked for an unknown account");
    return account;
  }
}

/** The options of the gateway's own queries. */
const read = {
  author: "operator",
  writable: false,
  atomic: true,
  returning: false,
  bounded: true,
  format: "json",
  shape: "array",
} as const;

function unsupported(detail: string): TidegateError {
  return new TidegateError("unsupported_by_link", { detail });
}

/** The configuration refuses grants for transactions, so no caller gets here. */
function noTransactions(): TidegateError {
  return unsupported("There are no transactions through Hyperdrive: a connection is lent for one request.");
}

/** Logs the refusal: operators look for these lines with every link. */
function observeRefusal(account: string, cause: unknown): TidegateError {
  const error = asTidegateError(cause);
  // `database_unavailable` is a server's error for a statement. The other codes are about the connection.
  if (error.code.startsWith("database_") && error.code !== "database_unavailable") {
    observe({ event: "connection_refused", account, code: error.code, reason: error.operator ?? "" });
  }
  return error;
}

function observeBroken({ requestId }: BackendContext, account: string, error: TidegateError): void {
  const reason = error.operator === undefined ? {} : { reason: error.operator };
  observe({ event: "work_failed", request_id: requestId, account, code: error.code, ...reason });
}
