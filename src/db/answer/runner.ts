import type { TidegateError } from "../../errors.ts";
import type { Timers } from "../../timers.ts";
import type { ExecuteRequest } from "../contract/requests.ts";
import type { RowSink } from "../mysql/session/row-sink.ts";
import type { Session } from "../mysql/session/session.ts";

/** Runs the statement: a pooled session, or a session for this statement only. */
export interface Runner extends Pick<Session, "pause" | "resume"> {
  run(request: ExecuteRequest, sink: RowSink): ReturnType<Session["run"]>;
  /** The timers of the session's owner. */
  readonly timers: Timers;
  /** Ends the statement at the server, for this reason. */
  stop(why: TidegateError): void;
  /** @returns the caller's error for a failure of the statement */
  explain(cause: unknown): TidegateError;
}
