import { limits } from "../../limits.ts";
import { systemCalls } from "./wasi.ts";

/**
 * One TLS connection in one WebAssembly instance: rustls, with the interface of native/tls/src/lib.rs. It
 * does no I/O: it gets the socket's received bytes, and returns the bytes to send. After the connection has
 * ended, another one to the same server may use the instance, which holds the session tickets.
 */

/** In the order of native/tls/src/failure.rs, where the numbers begin with 1. */
const kinds = [
  "settings",
  "clock",
  "unknown_authority",
  "bad_signature",
  "expired",
  "not_yet_valid",
  "wrong_name",
  "certificate",
  "version",
  "refused",
  "truncated",
  "protocol",
  "misuse",
] as const;

/** `trap`: the instance has stopped, because it is out of memory or has a fault. */
export type TlsFailureKind = (typeof kinds)[number] | "trap";

/**
 * The reason for the end of TLS. The message is for the operator. `records` holds the alert for the server.
 */
export class TlsFailure extends Error {
  readonly kind: TlsFailureKind;
  readonly records: Uint8Array;
  constructor(kind: TlsFailureKind, message: string, records: Uint8Array = new Uint8Array()) {
    super(message);
    this.name = "TlsFailure";
    this.kind = kind;
    this.records = records;
  }
}

/** The version numbers of TLS. */
const versions = { "TLSv1.2": 0x0303, "TLSv1.3": 0x0304 } as const;
export type TlsVersion = keyof typeof versions;

export interface TlsSettings {
  /** The CAs to trust, PEM. */
  bundle: string;
  /** The DNS name or IP address that the certificate must name. */
  serverName: string;
  lowest: TlsVersion;
  highest: TlsVersion;
}

/** The result of a step: records for the server, and decrypted bytes for the driver. Both are copies. */
export interface Step {
  state: "handshaking" | "open" | "closed";
  records: Uint8Array;
  plain: Uint8Array;
}

interface Exports {
  memory: WebAssembly.Memory;
  tls_new(): number;
  tls_free(connection: number): void;
  tls_reserve(connection: number, length: number): number;
  tls_start(connection: number, bundle: number, name: number, lowest: number, highest: number): number;
  tls_rest(connection: number): number;
  tls_begin_again(connection: number): number;
  tls_receive(connection: number, length: number): number;
  tls_receive_end(connection: number): number;
  tls_send(connection: number, length: number): number;
  tls_close(connection: number): number;
  tls_pointer(connection: number, part: number): number;
  tls_length(connection: number, part: number): number;
}

const parts = { records: 0, plain: 1, words: 2, details: 3, certificate: 4 } as const;
const states = ["handshaking", "open", "closed"] as const;

export class TlsEngine {
  #exports: Exports;
  readonly #connection: number;
  /** Set after free() or a trap. Then nothing in the instance can be used. */
  #ended: TlsFailure | undefined;

  /** @param module src/db/links/tls.wasm */
  constructor(module: WebAssembly.Module) {
    const imports = { wasi_snapshot_preview1: systemCalls(() => this.#exports.memory.buffer) };
    this.#exports = new WebAssembly.Instance(module, imports).exports as unknown as Exports;
    this.#connection = this.#call(() => this.#exports.tls_new());
  }

  /** @returns the first records for the server. @throws TlsFailure `settings` */
  start({ bundle, serverName, lowest, highest }: TlsSettings): Step {
    const encoder = new TextEncoder();
    const [authorities, name] = [encoder.encode(bundle), encoder.encode(serverName)];
    const length = this.#fill(authorities, name);
    return this.#step(() =>
      this.#exports.tls_start(
        this.#connection,
        authorities.length,
        length - authorities.length,
        versions[lowest],
        versions[highest],
      ),
    );
  }

  /** Ends an open connection and keeps its tickets. @returns the close_notify to send. @throws TlsFailure */
  suspend(): Uint8Array {
    const goodbye = this.close();
    this.#step(() => this.#exports.tls_rest(this.#connection));
    return goodbye;
  }

  /** Like `start`, after `rest`, with the settings of the first `start`. @throws TlsFailure */
  beginAgain(): Step {
    return this.#step(() => this.#exports.tls_begin_again(this.#connection));
  }

  /** @param bytes from the server, at most `limits.tlsStepBytes`. @throws TlsFailure */
  receive(bytes: Uint8Array): Step {
    const length = this.#fill(bytes);
    return this.#step(() => this.#exports.tls_receive(this.#connection, length));
  }

  /** The socket has ended. @throws TlsFailure `truncated` if the server sent no close_notify before */
  receiveEnd(): Step {
    return this.#step(() => this.#exports.tls_receive_end(this.#connection));
  }

  /** @returns the encrypted records. @throws TlsFailure `misuse` before the server is verified */
  send(bytes: Uint8Array): Uint8Array {
    const records: Uint8Array[] = [];
    for (const piece of slices(bytes)) {
      const length = this.#fill(piece);
      records.push(this.#step(() => this.#exports.tls_send(this.#connection, length)).records);
    }
    return records.length === 1 ? (records[0] as Uint8Array) : Buffer.concat(records);
  }

  /** @returns the close_notify to send. @throws TlsFailure */
  close(): Uint8Array {
    return this.#step(() => this.#exports.tls_close(this.#connection)).records;
  }

  /**
   * The negotiated protocol and cipher, and the server's own certificate (DER); empty before the server is
   * verified.
   */
  details(): { protocol: string; cipher: string; resumed: boolean; certificate: Uint8Array } {
    const [protocol = "", cipher = "", handshake] = this.#text(parts.details).split(" ");
    const resumed = handshake === "Resumed";
    return { protocol, cipher, resumed, certificate: this.#part(parts.certificate) };
  }

  /** The instance's memory in bytes. It never shrinks. */
  get memoryBytes(): number {
    return this.#exports.memory?.buffer.byteLength ?? 0;
  }

  /** Wipes the keys and drops the instance, so that its memory can be freed. */
  free(): void {
    if (this.#ended) return;
    try {
      this.#exports.tls_free(this.#connection);
    } catch {
      // The last call trapped. The instance is dropped in any case.
    }
    this.#end(new TlsFailure("misuse", "the connection was closed"));
  }

  #fill(...pieces: Uint8Array[]): number {
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    const pointer = this.#call(() => this.#exports.tls_reserve(this.#connection, length));
    // Make this view after tls_reserve, because growing the memory detaches earlier views.
    const room = new Uint8Array(this.#exports.memory.buffer, pointer, length);
    let at = 0;
    for (const piece of pieces) {
      room.set(piece, at);
      at += piece.length;
    }
    return length;
  }

  #step(work: () => number): Step {
    const state = this.#call(work);
    const records = this.#part(parts.records);
    if (state < 0) {
      throw new TlsFailure(kinds[-state - 1] ?? "protocol", this.#text(parts.words), records);
    }
    return { state: states[state] ?? "handshaking", records, plain: this.#part(parts.plain) };
  }

  #part(part: number): Uint8Array {
    const length = this.#call(() => this.#exports.tls_length(this.#connection, part));
    const pointer = this.#call(() => this.#exports.tls_pointer(this.#connection, part));
    return new Uint8Array(this.#exports.memory.buffer, pointer, length).slice();
  }

  #text(part: number): string {
    return new TextDecoder().decode(this.#part(part));
  }

  #call<T>(work: () => T): T {
    if (this.#ended) throw this.#ended;
    try {
      return work();
    } catch (cause) {
      throw this.#end(new TlsFailure("trap", `the TLS instance stopped: ${(cause as Error).message}`));
    }
  }

  #end(reason: TlsFailure): TlsFailure {
    this.#ended = reason;
    this.#exports = {} as Exports;
    return reason;
  }
}

/** Cuts bytes into pieces for one step each. */
export function* slices(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += limits.tlsStepBytes) {
    yield bytes.subarray(at, at + limits.tlsStepBytes);
  }
}
