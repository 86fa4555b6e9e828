import type { TidegateError } from "../../errors.ts";
import type { ExecuteRequest } from "../contract/requests.ts";
import type { EncodedAnswer } from "../encode/encoded-answer.ts";
import { demandNoConversion } from "../mysql/session/implicit-conversion.ts";
import { ResponseBody } from "./response-body.ts";
import type { Runner } from "./runner.ts";

/**
 * Called once, when the statement has ended and the last byte is on its way.
 * @param broken the error that broke off an answer after it had begun
 */
export type Finished = (broken?: TidegateError) => void;

/**
 * Runs a statement and answers with its rows. A short result is sent whole, with its length. A longer one
 * streams. If the reader is slower than the database, the database waits, so memory stays bounded.
 * @throws TidegateError if the statement fails before the first byte has left. A later error is written at
 *   the end of the format, or the stream breaks off
 */
export async function answer(
  session: Runner,
  request: ExecuteRequest,
  requestId: string,
  finished: Finished,
): Promise<EncodedAnswer> {
  const body = new ResponseBody(session, request);
  const running = session.run(request, body).then(
    (outcome) => {
      // Only reads are checked here: the runner has already checked and committed a revocable change.
      if (request.lenient === "read") demandNoConversion(outcome);
      body.end(outcome);
    },
    (cause) => {
      throw body.refused ?? cause;
    },
  );
  running.then(
    () => finished(),
    (cause) => {
      const error = session.explain(cause);
      finished(body.fail(error, requestId) ? error : undefined);
    },
  );
  // Wait for the statement's end or failure, or for more bytes than are sent whole.
  await Promise.race([running, body.streaming]);
  return body.answer();
}
