import type { TidegateError } from "../../errors.ts";
import type { Timers } from "../../timers.ts";
import type { ExecuteRequest } from "../contract/requests.ts";
import type { RowSink } from "../mysql/session/row-sink.ts";
import type { Session } from "../mysql/session/session.ts";

/** What runs the statement: a pooled session, or one that lives for this statement only. */
export interface Runner extends Pick<Session, "pause" | "resume"> {
  run(request: ExecuteRequest, sink: RowSink): ReturnType<Session["run"]>;
  /** Those of whatever it runs in. */
  readonly timers: Timers;
  /** Ends the statement at the server, for this reason. */
  stop(why: TidegateError): void;
  /** @returns a failure of the statement as its caller is told it */
  explain(cause: unknown): TidegateError;
}
