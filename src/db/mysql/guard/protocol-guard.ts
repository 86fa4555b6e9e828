import { EventEmitter } from "node:events";
import { limits } from "../../../limits.ts";
import type { Wire } from "../../links/link.ts";
import type { Head } from "./packet-scanner.ts";
import { frameBytes, markOf, marks, PacketScanner, readInteger } from "./packet-scanner.ts";
import { readRefusal } from "./refusal.ts";
import { Farewell, ProtocolError, ReplyTracker } from "./reply-tracker.ts";

/**
 * Takes whole packets with rows, valid only during the call.
 * @returns how many bytes it took. The driver gets the other packets, and holds them while it is paused
 */
export type TakeRows = (packets: Buffer) => number;

/**
 * Stands between a link's wire and the driver. It passes only packets that the server may send now
 * (`ReplyTracker`), and any other packet destroys the connection. Each error of the server emits the event
 * `refusal` (Refusal).
 */
export class ProtocolGuard extends EventEmitter implements Wire {
  readonly #wire: Wire;
  readonly #replies = new ReplyTracker();
  readonly #received = new PacketScanner((head) => this.#judge(head));
  readonly #sent = new PacketScanner((head) => this.#note(head));
  #loggedIn = false;
  #broken = false;
  /** The beginning of a row that is not complete, in pieces. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  #rows: { id: number; take: TakeRows } | undefined;
  /** When the server was last heard, in milliseconds since 1970, and how many chunks were heard. */
  heardAt = Date.now();
  heard = 0;

  constructor(wire: Wire) {
    super();
    this.#wire = wire;
    wire.on("data", (chunk: Buffer) => this.#hear(chunk));
    for (const event of ["error", "end", "close"]) wire.on(event, (cause) => this.emit(event, cause));
  }

  get gone(): Promise<void> {
    return this.#wire.gone;
  }

  get secured(): boolean {
    return this.#wire.secured;
  }

  /** Whether all commands are answered. */
  get isResting(): boolean {
    return this.owed === 0;
  }

  /** How many commands have no complete answer. */
  get owed(): number {
    return this.#replies.owed;
  }

  /** As in `ReplyTracker`. */
  get owedWork(): number {
    return this.#replies.owedWork;
  }

  /** As in `ReplyTracker`. */
  allowRows(id: number): void {
    this.#replies.allowRows(id);
  }

  /**
   * Has the rows of the result that is coming read without the driver, from the next chunk on. The driver gets
   * the rows that `take` leaves, and all that follows the rows.
   */
  takeRows(take: TakeRows): void {
    this.#rows = { id: this.#replies.rowsId, take };
  }

  #hear(chunk: Buffer): void {
    if (this.#broken) return;
    this.heardAt = Date.now();
    this.heard += 1;
    const { good, refusal = this.#remainder() } = this.#received.push(chunk);
    // With an extra reply in the chunk we cannot tell which is real, so the driver gets none.
    if (refusal === undefined) this.#pass(chunk);
    else if (refusal instanceof Farewell && good > 0) this.#pass(chunk.subarray(0, good));
    if (refusal !== undefined) this.#break(refusal as Error);
  }

  /** Passes accepted bytes on. Of rows, only whole packets: the rest waits for the next chunk. */
  #pass(chunk: Buffer): void {
    const begun = this.#replies.rowsId === 0 ? 0 : this.#received.begunBytes;
    let from = 0;
    if (this.#held.length > 0) {
      const held = this.#heldBytes;
      if (begun === held + chunk.length) {
        this.#hold(chunk);
        return;
      }
      const first = Buffer.concat([...this.#held, chunk.subarray(0, Math.max(0, 3 - held))]);
      from = Math.min(chunk.length, frameBytes + readInteger(first, 0, 3) - held);
      const packet = Buffer.concat([...this.#held, chunk.subarray(0, from)]);
      this.#held = [];
      this.#heldBytes = 0;
      this.#give(packet);
    }
    const end = chunk.length - begun;
    if (end > from) this.#give(chunk.subarray(from, end));
    if (begun > 0) this.#hold(chunk.subarray(end));
  }

  /** Copies the bytes: the link's chunk is valid only during its event. */
  #hold(bytes: Buffer): void {
    this.#held.push(Buffer.from(bytes));
    this.#heldBytes += bytes.length;
  }

  #give(bytes: Buffer): void {
    const rows = this.#rows;
    let taken = 0;
    if (rows) {
      // All bytes are rows of this result if the latest ones are.
      if (rows.id !== 0 && rows.id === this.#replies.rowsId) taken = rows.take(bytes);
      else this.#rows = undefined;
    }
    if (taken === bytes.length) return;
    // The driver may keep them. The link's chunk is valid only during its event.
    this.emit("data", Buffer.from(bytes.subarray(taken)));
  }

  /** If nothing is owed, even a part of a packet is too much. */
  #remainder(): ProtocolError | undefined {
    if (!this.#loggedIn || !this.isResting || !this.#received.isCut) return undefined;
    return new ProtocolError("the server sent what nobody asked for");
  }

  /** The login has its own form, in which the driver answers the server. It ends with an OK. */
  #judge(head: Head): void {
    if (this.#loggedIn) {
      this.#replies.received(head);
      // Emitted before the driver gets the error: the caller must not get another such connection for its
      // next request.
      if (markOf(head) === marks.error) this.emit("refusal", readRefusal(head));
    } else {
      if (head.length > limits.loginPacketBytes) throw new ProtocolError("a login is never so long");
      // After this OK, no packet may come before a command is sent. From here on the `ReplyTracker` checks
      // that.
      this.#loggedIn = markOf(head) === marks.ok;
    }
  }

  #note(head: Head): void {
    if (this.#loggedIn) this.#replies.sent(head);
  }

  #break(cause: Error): void {
    this.#broken = true;
    this.destroy(cause);
  }

  write(bytes: Uint8Array, done?: (error?: Error) => void): boolean {
    const { refusal } = this.#sent.push(bytes);
    if (refusal !== undefined) {
      done?.(refusal as Error);
      this.#break(refusal as Error);
      return true;
    }
    return this.#wire.write(bytes, done);
  }

  start(): void {
    this.#wire.start();
  }

  async secure(): Promise<void> {
    await this.#wire.secure();
  }

  pause(): void {
    this.#wire.pause();
  }

  resume(): void {
    this.#wire.resume();
  }

  end(): void {
    this.#wire.end();
  }

  destroy(error?: Error): void {
    this.#wire.destroy(error);
  }
}
