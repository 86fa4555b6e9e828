import type { TidegateError } from "../../errors.ts";
import type { Timers } from "../../timers.ts";
import { demandNoConversion } from "../mysql/session/implicit-conversion.ts";
import type { Session } from "../mysql/session/session.ts";
import type { ExecuteWork } from "../pool/messages/protocol.ts";
import { AnswerBody } from "./response-body.ts";

/** What runs the statement: a pooled session, or one that lives for this statement only. */
export interface Runner extends Pick<Session, "pause" | "resume"> {
  run(work: ExecuteWork, sink: AnswerBody): ReturnType<Session["run"]>;
  /** Those of whatever it runs in. */
  readonly timers: Timers;
  /** Ends the statement at the server, for this reason. */
  stop(why: TidegateError): void;
  /** @returns a failure of the statement as its caller is told it */
  explain(cause: unknown): TidegateError;
}

/**
 * Called once, when the statement has ended and the last byte is on its way.
 * @param broken the error that broke off an answer already begun
 */
export type Finished = (broken?: TidegateError) => void;

/**
 * Runs a statement and answers with its rows. A short result goes out whole, with its length; a longer one
 * streams, and a reader that is slower than the database stops the database, not the memory.
 * @throws TidegateError when the statement fails before the first byte has left; later the format has the error at
 *   its end, or the stream breaks off
 */
export async function answer(
  session: Runner,
  work: ExecuteWork,
  requestId: string,
  finished: Finished,
): Promise<Response> {
  const body = new AnswerBody(session, work);
  const running = session.run(work, body).then(
    (outcome) => {
      // What can be taken back was judged by its runner, and is kept by now.
      if (work.lenient === "read") demandNoConversion(outcome);
      body.end(outcome);
    },
    (cause) => {
      throw body.tooLarge ?? cause;
    },
  );
  running.then(
    () => finished(),
    (cause) => {
      const error = session.explain(cause);
      finished(body.fail(error, requestId) ? error : undefined);
    },
  );
  // Whichever comes first: the statement's end (or failure), or more bytes than are worth keeping.
  await Promise.race([running, body.streaming]);
  return body.response();
}
