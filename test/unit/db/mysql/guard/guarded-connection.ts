import { EventEmitter } from "node:events";
import { expect } from "vitest";
import { buildGreeting, frame, okPacket } from "../../../../../servers/wire/packets.ts";
import type { Wire } from "../../../../../src/db/links/link.ts";
import { ProtocolGuard } from "../../../../../src/db/mysql/guard/protocol-guard.ts";

export const eof = (state = 2) => Buffer.from([0xfe, 0, 0, state, 0]);
export const ok = (state = 2) => Buffer.from([0, 0, 0, state, 0, 0, 0]);
export const text = (value: string) => Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);
export const column = (name = "n") => {
  const fixed = Buffer.from([0x0c, 255, 0, 0xff, 0xff, 0, 0, 0xfd, 0, 0, 0, 0, 0]);
  return Buffer.concat([...["def", "", "", "", name, ""].map(text), fixed]);
};
export const binaryRow = (value = "1") => Buffer.concat([Buffer.from([0, 0]), text(value)]);
export const prepared = (id: number, columns: number, parameters = 0) =>
  Buffer.from([0, id, 0, 0, 0, columns & 255, columns >> 8, parameters, 0, 0, 0, 0]);
export const reply = (...payloads: Buffer[]) =>
  Buffer.concat(payloads.map((payload, at) => frame(at + 1, payload)));

export const command = (code: number, rest: string | Buffer = "") =>
  frame(0, Buffer.concat([Buffer.from([code]), Buffer.from(rest as string)]));
export const reset = command(0x1f);
export const query = (sql: string) => command(0x03, sql);
export const prepare = (sql: string) => command(0x16, sql);
export const execute = (id: number) => command(0x17, Buffer.from([id, 0, 0, 0, 0, 1, 0, 0, 0]));
export const selected = reply(prepared(1, 1), column(), eof());
export const rows = reply(Buffer.from([1]), column(), eof(), binaryRow(), eof());

/** A wire on which the test plays the server. */
export class FakeWire extends EventEmitter implements Wire {
  readonly written: Uint8Array[] = [];
  readonly gone = Promise.resolve();
  readonly secured = true;
  destroyed: string | undefined;
  start(): void {
    const greeting = {
      serverVersion: "9.7.4",
      connectionId: 1,
      capabilities: 0,
      plugin: "caching_sha2_password",
    };
    this.emit("data", frame(0, buildGreeting({ ...greeting, scramble: Buffer.alloc(20, 1) })));
  }
  async secure(): Promise<void> {}
  write(bytes: Uint8Array): boolean {
    return this.written.push(bytes) > 0;
  }
  pause(): void {}
  resume(): void {}
  end(): void {}
  destroy(error?: Error): void {
    if (this.destroyed !== undefined) return;
    this.destroyed = error?.message ?? "";
    if (error) this.emit("error", error);
    this.emit("close");
  }
}

/** A guarded connection after its login. */
export function connected() {
  const server = new FakeWire();
  const wire = new ProtocolGuard(server);
  const heard: Buffer[] = [];
  wire.on("data", (chunk: Buffer) => heard.push(Buffer.from(chunk)));
  wire.on("error", () => {});
  wire.start();
  wire.write(frame(1, Buffer.alloc(64, 1)));
  server.emit("data", frame(2, okPacket()));
  heard.length = 0;
  return {
    server,
    wire,
    says: (...chunks: Buffer[]) => {
      for (const chunk of chunks) server.emit("data", chunk);
    },
    get heard() {
      return Buffer.concat(heard);
    },
  };
}

/**
 * Sends commands, and gets good packets and then a bad one. The driver must get nothing of the chunk with the
 * bad one.
 */
export function refuses(asked: Buffer[], good: Buffer, bad: Buffer, because: RegExp): void {
  for (const oneChunk of [true, false]) {
    const connection = connected();
    for (const bytes of asked) connection.wire.write(bytes);
    connection.says(...(oneChunk ? [Buffer.concat([good, bad])] : [good, bad]));
    expect(connection.server.destroyed).toMatch(because);
    expect(connection.heard).toEqual(oneChunk ? nothing : good);
    connection.says(reply(ok()));
    expect(connection.heard).toEqual(oneChunk ? nothing : good);
  }
}

/** No good packets. */
export const nothing = Buffer.alloc(0);
