import type { TidegateError } from "../../errors.ts";
import { asTidegateError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { RowShape } from "../encode/json.ts";
import { JsonEncoder } from "../encode/json.ts";
import type { Field } from "../mysql/driver.ts";
import type { Outcome, RowSink, Session, Statement } from "../mysql/session.ts";

/**
 * Called once, when the statement has ended and the last byte is on its way.
 * @param broken the error that broke off an answer already begun
 */
export type Finished = (broken?: TidegateError) => void;

/**
 * Runs a statement and answers with its rows. A short result goes out whole, with its length; a longer one
 * streams, and a reader that is slower than the database stops the database, not the memory.
 * @throws TidegateError when the statement fails before the first byte has left; later the stream breaks off
 */
export async function answer(
  session: Session,
  statement: Statement,
  shape: RowShape,
  finished: Finished,
): Promise<Response> {
  const body = new JsonBody(session, shape);
  const running = session.run(statement, body).then((outcome) => body.end(outcome));
  running.then(
    () => finished(),
    (cause) => {
      const error = asTidegateError(cause);
      finished(body.fail(error) ? error : undefined);
    },
  );
  // Whichever comes first: the statement's end (or failure), or more bytes than are worth keeping.
  await Promise.race([running, body.streaming]);
  return body.response();
}

class JsonBody implements RowSink {
  readonly #session: Session;
  readonly #shape: RowShape;
  readonly #utf8 = new TextEncoder();
  readonly #streaming = Promise.withResolvers<void>();
  #encoder: JsonEncoder | undefined;
  #pending = "";
  #rows = 0;
  /** The statement has ended: the session may serve somebody else by now, and is not touched any more. */
  #ended = false;
  #stream: ReadableStream<Uint8Array> | undefined;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;

  constructor(session: Session, shape: RowShape) {
    this.#session = session;
    this.#shape = shape;
  }

  /** Settled when the answer has become too long to be sent whole. */
  get streaming(): Promise<void> {
    return this.#streaming.promise;
  }

  columns(fields: readonly Field[]): void {
    this.#encoder = new JsonEncoder(fields, this.#shape);
    this.#pending = this.#encoder.head;
  }

  row(values: readonly unknown[]): void {
    if (!this.#encoder) return;
    this.#pending += (this.#rows === 0 ? "" : ",") + this.#encoder.row(values);
    this.#rows += 1;
    if (this.#controller) {
      if (this.#pending.length >= limits.chunkBytes) this.#flush();
    } else if (this.#pending.length >= limits.wholeAnswerBytes) {
      this.#startStream();
    }
  }

  end({ rowsAffected, lastInsertId }: Outcome): void {
    this.#ended = true;
    if (!this.#encoder) this.columns([]);
    this.#pending += this.#encoder?.tail({ rowsAffected, lastInsertId }) ?? "";
    if (!this.#controller) return;
    // Nothing is paused here: the session has done its work, and the restore must get its replies.
    this.#controller.enqueue(this.#utf8.encode(this.#pending));
    this.#controller.close();
  }

  /**
   * JSON has no place for an error after the first byte: the body breaks off, which every client notices.
   * @returns whether the answer had begun
   */
  fail(error: TidegateError): boolean {
    this.#ended = true;
    this.#controller?.error(error);
    return this.#controller !== undefined;
  }

  response(): Response {
    const headers = { "content-type": "application/json; charset=utf-8" };
    return new Response(this.#stream ?? this.#utf8.encode(this.#pending), { headers });
  }

  #startStream(): void {
    this.#stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => {
          if (!this.#ended) this.#session.resume();
        },
        // The reader is gone: nobody needs the rest, and reading it all would take a connection for long.
        cancel: () => {
          if (!this.#ended) this.#session.destroy();
        },
      },
      new ByteLengthQueuingStrategy({ highWaterMark: limits.wholeAnswerBytes }),
    );
    this.#flush();
    this.#streaming.resolve();
  }

  #flush(): void {
    const controller = this.#controller;
    if (!controller || this.#pending === "") return;
    controller.enqueue(this.#utf8.encode(this.#pending));
    this.#pending = "";
    if ((controller.desiredSize ?? 0) <= 0) this.#session.pause();
  }
}
