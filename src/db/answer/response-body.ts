import { TidegateError, toProblem } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { ExecuteRequest } from "../contract/requests.ts";
import type { Encoder } from "../encode/create-encoder.ts";
import { createEncoder } from "../encode/create-encoder.ts";
import type { Field } from "../mysql/driver/driver.ts";
import type { RowSink } from "../mysql/session/row-sink.ts";
import type { StatementResult } from "../mysql/session/statement-result.ts";
import type { Runner } from "./runner.ts";

/** The body of one answer, in whichever format: takes the rows, and holds the database back while nobody reads. */
export class ResponseBody implements RowSink {
  readonly #session: Pick<Runner, "pause" | "resume" | "stop" | "timers">;
  readonly #encoder: Encoder;
  readonly #maxRows: number;
  readonly #maxBytes: number;
  readonly #streaming = Promise.withResolvers<void>();
  #rows = 0;
  /** Runs while something is pending. */
  #unset: (() => void) | undefined;
  #ended = false;
  #whole: Uint8Array | undefined;
  #stream: ReadableStream<Uint8Array> | undefined;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #bytes = 0;
  /** Nobody reads what is still to come. */
  #unread = false;
  /** Set when the result has outgrown the grant's ceilings and the statement has been given up. */
  tooLarge: TidegateError | undefined;

  constructor(
    session: Pick<Runner, "pause" | "resume" | "stop" | "timers">,
    { format, shape, ceilings, bounded, atomic }: ExecuteRequest,
  ) {
    this.#session = session;
    this.#encoder = createEncoder(format, shape, !atomic);
    // Giving up a change would leave its outcome open: ceilings are for what only answers.
    this.#maxRows = bounded ? (ceilings.rows ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
    this.#maxBytes = bounded ? ceilings.bytes : Number.POSITIVE_INFINITY;
  }

  /** Settled when the answer has become too long to be sent whole. */
  get streaming(): Promise<void> {
    return this.#streaming.promise;
  }

  /** What was stopped is read on until the server has heard of it. */
  get #deaf(): boolean {
    return this.#ended || this.#unread || this.tooLarge !== undefined;
  }

  columns(fields: readonly Field[]): void {
    if (this.#deaf) return;
    this.#encoder.columns(fields);
    this.#sendIfLong();
  }

  row(values: readonly unknown[]): void {
    if (this.#deaf) return;
    if (this.#rows >= this.#maxRows) {
      this.#giveUp(`It may have ${this.#maxRows} rows.`);
      return;
    }
    this.#encoder.row(values);
    this.#sendIfLong();
    this.#rows += 1;
    this.#unset ??= this.#session.timers.after(limits.flushMs, () => this.#send());
  }

  #sendIfLong(): void {
    if (this.#controller) {
      if (this.#encoder.hasAtLeast(limits.chunkBytes)) this.#flush();
    } else if (this.#encoder.hasAtLeast(limits.wholeAnswerBytes + 1)) {
      this.#startStream();
    }
  }

  /** What is pending has waited for long enough. */
  #send(): void {
    this.#unset = undefined;
    if (this.#deaf) return;
    if (this.#controller) this.#flush();
    else this.#startStream();
  }

  /** The statement has ended: the session may serve somebody else by now, and is not touched any more. */
  #finish(): void {
    this.#ended = true;
    this.#unset?.();
  }

  end(outcome: StatementResult): void {
    this.#finish();
    // What is pending stays: it is sent before the error.
    if (this.tooLarge) throw this.tooLarge;
    this.#encoder.end(outcome);
    const last = this.#take();
    if (this.tooLarge) throw this.tooLarge;
    if (this.#unread) return;
    if (this.#controller) {
      // Nothing is paused here: the session has done its work, and the restore must get its replies.
      this.#controller.enqueue(last);
      this.#controller.close();
    } else {
      this.#whole = last;
    }
  }

  /** Takes what is pending as bytes, and counts them. */
  #take(): Uint8Array {
    const bytes = this.#encoder.take();
    this.#bytes += bytes.length;
    if (this.#bytes > this.#maxBytes) this.#giveUp(`It may have ${this.#maxBytes} bytes.`);
    return bytes;
  }

  #giveUp(detail: string): void {
    this.tooLarge ??= new TidegateError("result_too_large", { detail });
    if (!this.#ended) this.#session.stop(this.tooLarge);
  }

  /**
   * The statement has failed. An answer that has begun ends with the error where the format has a place for it; else
   * it breaks off, which every client notices.
   * @param error as the caller is told it
   * @returns whether the answer had begun
   */
  fail(error: TidegateError, requestId: string): boolean {
    this.#finish();
    const controller = this.#controller;
    if (!controller) return false;
    if (this.#unread) return true;
    if (!this.#encoder.fail(toProblem(error, requestId))) {
      controller.error(error);
      return true;
    }
    controller.enqueue(this.#encoder.take());
    controller.close();
    return true;
  }

  response(): Response {
    const whole = this.#stream ? undefined : this.#whole;
    return new Response(this.#stream ?? whole, {
      headers: {
        "content-type": this.#encoder.contentType,
        // Said here, for the Worker to see: it compresses what is long.
        ...(whole && { "content-length": String(whole.length) }),
      },
    });
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
          this.#unread = true;
          if (this.#ended) return;
          this.#session.stop(new TidegateError("request_cancelled"));
          this.#session.resume();
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
    if (!controller) return;
    const bytes = this.#take();
    if (this.tooLarge || bytes.length === 0) return;
    controller.enqueue(bytes);
    if ((controller.desiredSize ?? 0) <= 0) this.#session.pause();
  }
}
