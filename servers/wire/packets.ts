/**
 * The part of the MySQL client/server protocol that the counting proxy and the rogue server share. Pure:
 * bytes in, bytes out, no sockets. Page names in the comments are from the MySQL internals manual.
 */

/** One physical packet ("Protocol::Packet"): the payload without its four header bytes. */
export interface Packet {
  readonly sequence: number;
  readonly payload: Buffer;
}

/** The capability flags used here ("Capability Flags"). */
export const capability = {
  LONG_PASSWORD: 0x1,
  LONG_FLAG: 0x4,
  CONNECT_WITH_DB: 0x8,
  COMPRESS: 0x20,
  PROTOCOL_41: 0x200,
  SSL: 0x800,
  TRANSACTIONS: 0x2000,
  SECURE_CONNECTION: 0x8000,
  MULTI_RESULTS: 0x20000,
  PS_MULTI_RESULTS: 0x40000,
  PLUGIN_AUTH: 0x80000,
  CONNECT_ATTRS: 0x100000,
  PLUGIN_AUTH_LENENC_CLIENT_DATA: 0x200000,
  QUERY_ATTRIBUTES: 0x8000000,
} as const;

// "Text Protocol", "Prepared Statements" and "Utility Commands". The code of a command is its index in this
// list.
const commandNames =
  `SLEEP QUIT INIT_DB QUERY FIELD_LIST CREATE_DB DROP_DB REFRESH SHUTDOWN STATISTICS PROCESS_INFO CONNECT
  PROCESS_KILL DEBUG PING TIME DELAYED_INSERT CHANGE_USER BINLOG_DUMP TABLE_DUMP CONNECT_OUT REGISTER_SLAVE
  STMT_PREPARE STMT_EXECUTE STMT_SEND_LONG_DATA STMT_CLOSE STMT_RESET SET_OPTION STMT_FETCH DAEMON
  BINLOG_DUMP_GTID RESET_CONNECTION`.split(/\s+/);

/**
 * The name of the command at the beginning of a payload, such as "COM_QUERY"; "COM_0x2a" for an unknown one.
 */
export function commandName(payload: Buffer): string {
  const code = payload[0];
  if (code === undefined) return "COM_EMPTY";
  return `COM_${commandNames[code] ?? `0x${code.toString(16).padStart(2, "0")}`}`;
}

/** Commands to which the server never answers. */
export const commandsWithoutReply: ReadonlySet<string> = new Set([
  "COM_QUIT",
  "COM_STMT_CLOSE",
  "COM_STMT_SEND_LONG_DATA",
]);

/** Cuts a byte stream into packets. The bytes may arrive in pieces of any size. */
export class PacketSplitter {
  #chunks: Buffer[] = [];
  #length = 0;
  #needed = 4;

  /** How many bytes of an incomplete packet are waiting. */
  get pendingBytes(): number {
    return this.#length;
  }

  /** Takes the next bytes, and returns the packets that are complete now. */
  push(chunk: Buffer): Packet[] {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    // Join chunks only when a packet may be complete: joining at every chunk is quadratic for packets of 16
    // MiB.
    if (this.#length < this.#needed) return [];
    const bytes = Buffer.concat(this.#chunks);
    const packets: Packet[] = [];
    let offset = 0;
    this.#needed = 4;
    while (bytes.length - offset >= 4) {
      const end = offset + 4 + bytes.readUIntLE(offset, 3);
      if (end > bytes.length) {
        this.#needed = end - offset;
        break;
      }
      packets.push({ sequence: bytes.readUInt8(offset + 3), payload: bytes.subarray(offset + 4, end) });
      offset = end;
    }
    this.#chunks = [bytes.subarray(offset)];
    this.#length = bytes.length - offset;
    return packets;
  }
}

/** Puts the header before a payload of less than 16 MiB ("Protocol::Packet"). */
export function frame(sequence: number, payload: Buffer): Buffer {
  if (payload.length >= 0xffffff) throw new RangeError("the payload needs more than one packet");
  const header = Buffer.alloc(4);
  header.writeUIntLE(payload.length, 0, 3);
  header.writeUInt8(sequence & 0xff, 3);
  return Buffer.concat([header, payload]);
}

/** The first packet of a server ("Protocol::HandshakeV10"). */
export interface Greeting {
  readonly serverVersion: string;
  readonly connectionId: number;
  readonly capabilities: number;
  /** 20 bytes. */
  readonly scramble: Buffer;
  readonly plugin: string;
}

/** Builds a greeting's payload ("Protocol::HandshakeV10"). */
export function buildGreeting(greeting: Greeting): Buffer {
  if (greeting.scramble.length !== 20) throw new RangeError("a scramble has 20 bytes");
  const middle = Buffer.alloc(18);
  middle.writeUInt16LE(greeting.capabilities & 0xffff, 0);
  middle.writeUInt8(255, 2); // utf8mb4_0900_ai_ci
  middle.writeUInt16LE(2, 3); // SERVER_STATUS_AUTOCOMMIT
  middle.writeUInt16LE(greeting.capabilities >>> 16, 5);
  middle.writeUInt8(21, 7); // the scramble and its NUL
  const id = Buffer.alloc(4);
  id.writeUInt32LE(greeting.connectionId);
  return Buffer.concat([
    Buffer.from([10]),
    nulString(greeting.serverVersion),
    id,
    greeting.scramble.subarray(0, 8),
    Buffer.alloc(1),
    middle,
    greeting.scramble.subarray(8),
    Buffer.alloc(1),
    nulString(greeting.plugin),
  ]);
}

/** Reads a greeting of protocol version 10; throws a RangeError for anything else. */
export function parseGreeting(payload: Buffer): Greeting {
  const reader = new Reader(payload);
  const version = reader.integer(1);
  if (version !== 10) throw new RangeError(`not a greeting of protocol 10 but ${version}`);
  const serverVersion = reader.nulString();
  const connectionId = reader.integer(4);
  const start = reader.bytes(8);
  reader.bytes(1);
  const low = reader.integer(2);
  reader.bytes(3);
  const capabilities = (low | (reader.integer(2) << 16)) >>> 0;
  const scrambleLength = Math.max(12, reader.integer(1) - 9);
  reader.bytes(10);
  const scramble = Buffer.concat([start, reader.bytes(scrambleLength)]);
  reader.bytes(1);
  const plugin = capabilities & capability.PLUGIN_AUTH ? reader.nulString() : "";
  return { serverVersion, connectionId, capabilities, scramble, plugin };
}

/**
 * Whether a client's first packet asks for TLS: it is a login that ends after 32 bytes
 * ("Protocol::SSLRequest").
 */
export function isSslRequest(payload: Buffer): boolean {
  return payload.length === 32 && (payload.readUInt32LE(0) & capability.SSL) !== 0;
}

/** The login packet of a client ("Protocol::HandshakeResponse41"). */
export interface HandshakeResponse {
  readonly capabilities: number;
  readonly userName: string;
  readonly authResponse: Buffer;
  readonly database: string | undefined;
  readonly plugin: string | undefined;
}

/** Reads a login; throws a RangeError when the packet is too short. */
export function parseHandshakeResponse(payload: Buffer): HandshakeResponse {
  const reader = new Reader(payload);
  const capabilities = reader.integer(4);
  const has = (flag: number) => (capabilities & flag) !== 0;
  reader.bytes(28); // greatest packet, character set, filler
  const userName = reader.nulString();
  let authResponse: Buffer;
  if (has(capability.PLUGIN_AUTH_LENENC_CLIENT_DATA)) authResponse = reader.bytes(reader.lengthEncoded());
  else if (has(capability.SECURE_CONNECTION)) authResponse = reader.bytes(reader.integer(1));
  else authResponse = Buffer.from(reader.nulString(), "utf8");
  const database = has(capability.CONNECT_WITH_DB) ? reader.nulString() : undefined;
  const plugin = has(capability.PLUGIN_AUTH) ? reader.nulString() : undefined;
  return { capabilities, userName, authResponse, database, plugin };
}

/** "OK_Packet", nothing affected, autocommit. */
export function okPacket(): Buffer {
  return Buffer.from([0x00, 0, 0, 0x02, 0x00, 0, 0]);
}

/** "ERR_Packet". Before the capabilities are known (instead of a greeting) it carries no SQLSTATE. */
export function errPacket(errno: number, message: string, sqlState: string | null = "HY000"): Buffer {
  const head = Buffer.from([0xff, errno & 0xff, errno >>> 8]);
  return Buffer.concat([head, Buffer.from(`${sqlState === null ? "" : `#${sqlState}`}${message}`)]);
}

/** Asks the client to use another authentication plugin ("Protocol::AuthSwitchRequest"). */
export function authSwitchRequest(plugin: string, scramble: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0xfe]), nulString(plugin), scramble, Buffer.alloc(1)]);
}

/**
 * The SQL of a COM_QUERY or COM_STMT_PREPARE payload; undefined for another command. With the capability
 * QUERY_ATTRIBUTES, a COM_QUERY may have parameters before the SQL. Then the payload is not decoded.
 */
export function sqlOf(payload: Buffer, capabilities: number): string | undefined {
  const name = commandName(payload);
  if (name === "COM_STMT_PREPARE") return payload.toString("utf8", 1);
  if (name !== "COM_QUERY") return undefined;
  if ((capabilities & capability.QUERY_ATTRIBUTES) === 0) return payload.toString("utf8", 1);
  return payload[1] === 0 ? payload.toString("utf8", 3) : "(query with attributes)";
}

function nulString(text: string): Buffer {
  return Buffer.from(`${text}\0`, "utf8");
}

/** Reads a payload from its start. A read past the end throws a RangeError. */
class Reader {
  readonly #payload: Buffer;
  #offset = 0;

  constructor(payload: Buffer) {
    this.#payload = payload;
  }

  integer(size: 1 | 2 | 3 | 4): number {
    return this.bytes(size).readUIntLE(0, size);
  }

  bytes(length: number): Buffer {
    const end = this.#offset + length;
    if (end > this.#payload.length) throw new RangeError("the packet is cut off");
    const bytes = this.#payload.subarray(this.#offset, end);
    this.#offset = end;
    return bytes;
  }

  nulString(): string {
    const end = this.#payload.indexOf(0, this.#offset);
    if (end < 0) throw new RangeError("the packet is cut off");
    const text = this.#payload.toString("utf8", this.#offset, end);
    this.#offset = end + 1;
    return text;
  }

  lengthEncoded(): number {
    const first = this.integer(1);
    if (first < 0xfb) return first;
    if (first === 0xfc) return this.integer(2);
    if (first === 0xfd) return this.integer(3);
    throw new RangeError("the packet claims an impossible length");
  }
}
