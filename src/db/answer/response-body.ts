import { TidegateError, toProblem } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { ExecuteRequest } from "../contract/requests.ts";
import { createEncoder } from "../encode/create-encoder.ts";
import type { EncodedAnswer } from "../encode/encoded-answer.ts";
import type { Encoder } from "../encode/types.ts";
import type { BinaryRow } from "../mysql/driver/binary-row.ts";
import type { Field } from "../mysql/driver/field.ts";
import type { RowSink } from "../mysql/session/row-sink.ts";
import type { StatementResult } from "../mysql/session/statement-result.ts";
import { HeldRows, severalRows } from "./held-rows.ts";
import type { Runner } from "./runner.ts";

/**
 * The body of one answer, in any format. It takes the rows and pauses the database while the reader is slow.
 */
export class ResponseBody implements RowSink {
  readonly #session: Pick<Runner, "pause" | "resume" | "stop" | "timers">;
  readonly #encoder: Encoder;
  /** The same encoder, if nothing may be sent before the end. */
  readonly #held: HeldRows | undefined;
  readonly #maxRows: number;
  readonly #maxBytes: number;
  readonly #streaming = Promise.withResolvers<void>();
  #rows = 0;
  /** Stops the timer, which runs while rows are pending and more may come. */
  #unset: (() => void) | undefined;
  #ended = false;
  #whole: Uint8Array | undefined;
  #stream: ReadableStream<Uint8Array> | undefined;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #bytes = 0;
  /** The reader is gone. */
  #unread = false;
  /** Set if the result exceeds the grant's ceilings, or is not the one row. The statement is then stopped. */
  refused: TidegateError | undefined;

  constructor(
    session: Pick<Runner, "pause" | "resume" | "stop" | "timers">,
    { format, shape, ceilings, bounded, atomic, result, page }: ExecuteRequest,
  ) {
    this.#session = session;
    const encoder = createEncoder(format, shape, !atomic, result);
    this.#held =
      result === "one" || page !== undefined ? new HeldRows(encoder, { page, bounded }) : undefined;
    this.#encoder = this.#held ?? encoder;
    // The ceilings do not apply to changes: a stopped change would have an unknown outcome.
    this.#maxRows = bounded ? (ceilings.rows ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY;
    this.#maxBytes = bounded ? ceilings.bytes : Number.POSITIVE_INFINITY;
    if (!this.#held || !bounded) return;
    // The row behind a page is not answered. A second row, where there must be one, ends the statement.
    this.#maxRows = page ? page.rows + 1 : 1;
    this.#maxBytes = Math.min(ceilings.bytes, limits.batchResultBytes);
  }

  /** Settled when the answer is too long to be sent whole. */
  get streaming(): Promise<void> {
    return this.#streaming.promise;
  }

  /** Whether to drop rows. After stop(), keep reading and drop rows until the KILL takes effect. */
  get #deaf(): boolean {
    return this.#ended || this.#unread || this.refused !== undefined;
  }

  columns(fields: readonly Field[]): void {
    if (this.#deaf) return;
    this.#encoder.columns(fields);
    this.#sendIfLong();
  }

  row(row: BinaryRow): void {
    if (!this.#mayHaveRow()) return;
    this.#encoder.row(row);
    this.#wrote();
  }

  values(values: readonly unknown[]): void {
    if (!this.#mayHaveRow()) return;
    this.#encoder.values(values);
    this.#wrote();
  }

  #mayHaveRow(): boolean {
    if (this.#deaf) return false;
    if (this.#rows < this.#maxRows) return true;
    const detail = `It may have ${this.#maxRows} rows.`;
    this.#stop(this.#held ? severalRows() : new TidegateError("result_too_large", { detail }));
    return false;
  }

  #wrote(): void {
    this.#sendIfLong();
    this.#rows += 1;
    this.#unset ??= this.#session.timers.after(limits.flushMs, () => this.#send());
  }

  #sendIfLong(): void {
    const { waiting } = this.#encoder;
    if (this.#controller) {
      if (waiting >= limits.chunkBytes) this.#flush();
    } else if (waiting > limits.wholeAnswerBytes) {
      this.#startStream();
    }
  }

  /** The pending rows have waited long enough. */
  #send(): void {
    this.#unset = undefined;
    if (this.#deaf) return;
    if (this.#controller) this.#flush();
    else this.#startStream();
  }

  /**
   * Only the end follows, so the rows wait for it: until then the statement may still be refused, for a warning
   * or a failed COMMIT.
   */
  answered(): void {
    this.#unset?.();
    this.#unset = undefined;
  }

  /** The statement has ended. The session may serve another request now, so it is not used any more. */
  #finish(): void {
    this.#ended = true;
    this.answered();
  }

  end(outcome: StatementResult): void {
    this.#finish();
    // Pending rows stay in the encoder: `fail` sends them before the error.
    if (this.refused) throw this.refused;
    this.#encoder.end(outcome);
    const last = this.#take();
    if (this.refused) throw this.refused;
    if (this.#unread) return;
    if (this.#controller) {
      // Never pause here: the session is done, and the restore must get its replies.
      this.#controller.enqueue(last);
      this.#controller.close();
    } else {
      this.#whole = last;
    }
  }

  /** Takes the pending rows as bytes and counts them. */
  #take(): Uint8Array {
    const bytes = this.#encoder.take();
    this.#bytes += bytes.length;
    if (this.#bytes > this.#maxBytes) this.#stop(this.#tooManyBytes());
    return bytes;
  }

  #tooManyBytes(): TidegateError {
    return new TidegateError("result_too_large", { detail: `It may have ${this.#maxBytes} bytes.` });
  }

  #stop(why: TidegateError): void {
    this.refused ??= why;
    if (!this.#ended) this.#session.stop(this.refused);
  }

  /**
   * The statement has failed. If the answer has begun and its format has a place for the error, the error
   * ends it. Otherwise the answer breaks off, which every client notices.
   * @param error the caller's error
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

  answer(): EncodedAnswer {
    const { contentType } = this.#encoder;
    const page = this.#held?.page;
    const body = this.#stream ?? (this.#whole as Uint8Array);
    return page === undefined ? { contentType, body } : { contentType, body, page };
  }

  #startStream(): void {
    if (this.#held) {
      if (this.#held.waiting > this.#maxBytes) this.#stop(this.#tooManyBytes());
      return;
    }
    this.#stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => {
          if (!this.#ended) this.#session.resume();
        },
        // The reader is gone. Stop the statement: reading the rest would hold a connection for long.
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
    if (this.refused) {
      // No byte has left yet, so the caller can get a complete error.
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
    if (this.refused || bytes.length === 0) return;
    controller.enqueue(bytes);
    if ((controller.desiredSize ?? 0) <= 0) this.#session.pause();
  }
}
