import type { TidegateError } from "../../errors.ts";
import type { ExecuteRequest } from "../contract/requests.ts";
import { demandNoConversion } from "../mysql/session/implicit-conversion.ts";
import { ResponseBody } from "./response-body.ts";
import type { Runner } from "./runner.ts";

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
  request: ExecuteRequest,
  requestId: string,
  finished: Finished,
): Promise<Response> {
  const body = new ResponseBody(session, request);
  const running = session.run(request, body).then(
    (outcome) => {
      // What can be taken back was judged by its runner, and is kept by now.
      if (request.lenient === "read") demandNoConversion(outcome);
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
