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

/**
 * A wire on which the test plays the server: it records the written bytes, and emits the bytes that the test
 * gives.
 */
export class RecordedWire extends EventEmitter implements Wire {
  readonly writes: Buffer[] = [];
  readonly gone = new Promise<void>(() => {});
  readonly secured = true;
  destroyed = false;
  /** The reason for the end, if one was given. */
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

  /** Emits bytes to the driver, cut into pieces of this length. */
  say(bytes: Buffer, length = bytes.length): void {
    for (let at = 0; at < bytes.length; at += length) this.emit("data", bytes.subarray(at, at + length));
  }

  /** The payloads of each write since the last call. */
  takeWrites(): { sequence: number; payload: Buffer }[][] {
    return this.writes.splice(0).map((bytes) => new PacketSplitter().push(bytes));
  }
}

/**
 * @param guard wraps the wire before the connection uses it
 * @returns a connection after its login, without TLS and with an empty password
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
    // MariaDB clears the flag LONG_PASSWORD, which means MySQL, and announces its own capabilities elsewhere.
    capabilities:
      (server === "mysql" ? LONG_PASSWORD : 0) |
      PROTOCOL_41 |
      SECURE_CONNECTION |
      PLUGIN_AUTH |
      CONNECT_WITH_DB,
    scramble: Buffer.alloc(20, "s"),
    plugin: "mysql_native_password",
  });
  // MARIADB_CLIENT_EXTENDED_METADATA is in the last 4 of the 10 bytes before the scramble's second part.
  if (server === "mariadb") greeting[greeting.indexOf("ssssssssssss\0") - 4] = 0x08;
  const connected = once(connection, "connect");
  wire.say(frame(0, greeting));
  wire.say(frame(2, okPacket()));
  await connected;
  wire.takeWrites();
  return { wire, connection };
}
