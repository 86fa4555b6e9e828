import { EventEmitter, once } from "node:events";
import {
  buildGreeting,
  capability,
  frame,
  okPacket,
  PacketSplitter,
} from "../../../../../servers/wire/packets.ts";
import type { Wire } from "../../../../../src/db/links/link.ts";
import { type Connection, createConnection } from "../../../../../src/db/mysql/driver/driver.ts";

/** A wire whose other end is a test: it keeps what was written, and says what it is told to. */
export class RecordedWire extends EventEmitter implements Wire {
  readonly writes: Buffer[] = [];
  readonly gone = new Promise<void>(() => {});
  readonly secured = true;
  destroyed = false;
  /** Why, where that was said. */
  destroyedBecause: string | undefined;

  start(): void {}
  async secure(): Promise<void> {}
  write(bytes: Uint8Array, done?: () => void): boolean {
    this.writes.push(Buffer.from(bytes));
    done?.();
    return true;
  }
  pause(): void {}
  resume(): void {}
  end(): void {}
  destroy(error?: Error): void {
    this.destroyed = true;
    this.destroyedBecause ??= error?.message;
  }

  /** Shows bytes to the driver, cut into pieces of this length. */
  say(bytes: Buffer, length = bytes.length): void {
    for (let at = 0; at < bytes.length; at += length) this.emit("data", bytes.subarray(at, at + length));
  }

  /** What was written since the last call: the payloads of each write. */
  takeWrites(): { sequence: number; payload: Buffer }[][] {
    return this.writes.splice(0).map((bytes) => new PacketSplitter().push(bytes));
  }
}

/**
 * @param guard puts something between the wire and the connection
 * @returns a connection that has logged in on a wire, without TLS and with an empty password
 */
export async function loggedIn(
  server: "mysql" | "mariadb" = "mysql",
  guard: (wire: Wire) => Wire = (wire) => wire,
): Promise<{ wire: RecordedWire; connection: Connection }> {
  const wire = new RecordedWire();
  const credential = { password: "", plugin: undefined, cleartext: false };
  const connection = createConnection(guard(wire), {
    hostname: "db.test",
    user: "gw",
    credential,
    database: "shop",
    secured: true,
  });
  const { LONG_PASSWORD, PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH, CONNECT_WITH_DB } = capability;
  const greeting = buildGreeting({
    serverVersion: server === "mysql" ? "9.7.4" : "10.11.18-MariaDB",
    connectionId: 7,
    // MariaDB does not call itself MySQL (LONG_PASSWORD), and says so what more it can do.
    capabilities:
      (server === "mysql" ? LONG_PASSWORD : 0) |
      PROTOCOL_41 |
      SECURE_CONNECTION |
      PLUGIN_AUTH |
      CONNECT_WITH_DB,
    scramble: Buffer.alloc(20, "s"),
    plugin: "mysql_native_password",
  });
  // MARIADB_CLIENT_EXTENDED_METADATA, in the last four of the ten bytes before the scramble's second part.
  if (server === "mariadb") greeting[greeting.indexOf("ssssssssssss\0") - 4] = 0x08;
  const connected = once(connection, "connect");
  wire.say(frame(0, greeting));
  wire.say(frame(2, okPacket()));
  await connected;
  wire.takeWrites();
  return { wire, connection };
}
