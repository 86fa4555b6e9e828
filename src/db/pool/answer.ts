import { asTidegateError, TidegateError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { RowShape } from "../encode/json.ts";
import { JsonEncoder } from "../encode/json.ts";
import type { Field } from "../mysql/driver.ts";
import type { Outcome, RowSink, Session } from "../mysql/session.ts";
import type { ExecuteWork } from "./protocol.ts";

/** What runs the statement: a pooled session, or one that lives for this statement only. */
export type Runner = Pick<Session, "run" | "pause" | "resume" | "destroy">;

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
export async function answer(session: Runner, work: ExecuteWork, finished: Finished): Promise<Response> {
  const body = new JsonBody(session, work);
  const running = session.run(work, body).then(
    (outcome) => body.end(outcome),
    (cause) => {
      throw body.tooLarge ?? cause;
    },
  );
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
  readonly #session: Runner;
  readonly #shape: RowShape;
  readonly #maxRows: number;
  readonly #maxBytes: number;
  readonly #utf8 = new TextEncoder();
  readonly #streaming = Promise.withResolvers<void>();
  #encoder: JsonEncoder | undefined;
  #pending = "";
  #rows = 0;
  /** The statement has ended: the session may serve somebody else by now, and is not touched any more. */
  #ended = false;
  #whole: Uint8Array | undefined;
  #stream: ReadableStream<Uint8Array> | undefined;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;

  #bytes = 0;
  /** Set when the result has outgrown the grant's ceilings and the statement has been given up. */
  tooLarge: TidegateError | undefined;

  constructor(session: Runner, { shape, ceilings, writable }: ExecuteWork) {
    this.#session = session;
    this.#shape = shape;
    // Giving up a statement that writes would leave its outcome open: ceilings are for reads.
    this.#maxRows = writable ? Number.POSITIVE_INFINITY : (ceilings.rows ?? Number.POSITIVE_INFINITY);
    this.#maxBytes = writable ? Number.POSITIVE_INFINITY : (ceilings.bytes ?? Number.POSITIVE_INFINITY);
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
    if (!this.#encoder || this.tooLarge) return;
    if (this.#rows >= this.#maxRows) {
      this.#giveUp(`It may have ${this.#maxRows} rows.`);
      return;
    }
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
    const last = this.#encode();
    if (this.tooLarge) throw this.tooLarge;
    if (this.#controller) {
      // Nothing is paused here: the session has done its work, and the restore must get its replies.
      this.#controller.enqueue(last);
      this.#controller.close();
    } else {
      this.#whole = last;
    }
  }

  /** Takes what is pending as bytes, and counts them. */
  #encode(): Uint8Array {
    const bytes = this.#utf8.encode(this.#pending);
    this.#pending = "";
    this.#bytes += bytes.length;
    if (this.#bytes > this.#maxBytes) this.#giveUp(`It may have ${this.#maxBytes} bytes.`);
    return bytes;
  }

  #giveUp(detail: string): void {
    this.tooLarge ??= new TidegateError("result_too_large", { detail });
    if (!this.#ended) this.#session.destroy();
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
    return new Response(this.#stream ?? this.#whole, { headers });
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
    if (this.tooLarge) {
      // Nothing has left yet: the caller can still be told properly.
      this.#stream = undefined;
      this.#controller = undefined;
      return;
    }
    this.#streaming.resolve();
  }

  #flush(): void {
    const controller = this.#controller;
    if (!controller || this.#pending === "") return;
    const bytes = this.#encode();
    if (this.tooLarge) return;
    controller.enqueue(bytes);
    if ((controller.desiredSize ?? 0) <= 0) this.#session.pause();
  }
}
