import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type net from "node:net";
import { setTimeout } from "node:timers/promises";
import type tls from "node:tls";
import * as packets from "../../../servers/wire/packets.ts";
import { acceptTls, readPacket } from "../../../servers/wire/starttls.ts";
import type { Behaviour, Evidence, Identity } from "./behaviour.ts";
import { Meddler } from "./meddler.ts";

/** One client's connection. */
export class Session {
  readonly #socket: net.Socket;
  readonly #behaviour: Behaviour;
  readonly #evidence: Evidence;
  readonly #scramble = scramble();
  #injection: Promise<void> | undefined;
  #secured = false;
  #expectedBytes = 0;

  constructor(socket: net.Socket, behaviour: Behaviour, evidence: Evidence) {
    this.#socket = socket;
    this.#behaviour = behaviour;
    this.#evidence = evidence;
    socket.on("error", () => {});
  }

  /** Counted on the socket, so that a byte counts even if it is not part of a packet. */
  get clearTextBytes(): number {
    return this.#secured ? 0 : this.#socket.bytesRead - this.#expectedBytes;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  async run(): Promise<void> {
    const { kind } = this.#behaviour;
    if (kind === "hang") {
      this.#socket.resume();
    } else if (kind === "garbage") {
      this.#socket.resume().write(randomBytes(512));
    } else if (kind === "error-greeting") {
      const { errno } = this.#behaviour;
      const message =
        errno === 1040 ? "Too many connections" : "Host is not allowed to connect to this server";
      this.#socket.resume().end(packets.frame(0, packets.errPacket(errno, message, null)));
    } else {
      this.#greet();
      // Half closed: further data of the client are still examined.
      if (kind === "close-after-greeting") this.#socket.end();
      await this.#afterGreeting();
    }
  }

  #greet(): void {
    const { kind, serverVersion = "9.7.4" } = this.#behaviour;
    const payload = packets.buildGreeting({
      serverVersion,
      connectionId: this.#evidence.connections,
      capabilities: serverCapabilities | (kind === "no-tls" ? 0 : packets.capability.SSL),
      scramble: this.#scramble,
      plugin: this.#behaviour.greetingPlugin ?? "caching_sha2_password",
    });
    const greeting = packets.frame(0, payload);
    // A client that reads on takes this as the answer to its login, and the true answer as the one to its
    // first query.
    const injected = packets.frame(2, packets.okPacket());
    if (kind === "injected-after-greeting") this.#socket.write(Buffer.concat([greeting, injected]));
    else this.#socket.write(greeting);
    if (kind === "injected-late")
      this.#injection = setTimeout(50).then(() => void this.#socket.write(injected));
  }

  async #afterGreeting(): Promise<void> {
    const behaviour = this.#behaviour;
    const socket = this.#socket;
    const first = await readPacket(socket);
    if (!packets.isSslRequest(first.payload)) {
      await this.#login(socket, first);
      return;
    }
    this.#evidence.sslRequests += 1;
    this.#expectedBytes = 36;
    const closing = behaviour.kind === "close-after-ssl-request";
    if (closing) socket.end();
    await this.#classify();
    if (behaviour.kind === "close-after-client-hello") socket.end();
    if (behaviour.kind === "garbage-after-client-hello") socket.write(randomBytes(512));
    if (behaviour.kind === "clear-text-after-client-hello")
      socket.write(packets.frame(2, packets.okPacket()));
    // An alert in clear text, close_notify (RFC 8446 §6.1).
    if (behaviour.kind === "goodbye-after-client-hello") socket.end(Buffer.from("15030300020100", "hex"));
    if (closing || !("certificate" in behaviour) || !("privateKey" in behaviour)) {
      socket.resume();
      return;
    }
    await this.#injection;
    const secure = await this.#acceptTls(behaviour as Identity);
    await this.#login(secure, await readPacket(secure));
  }

  /**
   * Waits for the bytes after the SSLRequest: a TLS handshake record begins with 0x16, clear text does not.
   */
  async #classify(): Promise<void> {
    const socket = this.#socket;
    if (socket.readableLength === 0) await Promise.race([once(socket, "readable"), once(socket, "close")]);
    const start: Buffer | null = socket.read(1);
    if (start === null) throw new Error("closed after the SSLRequest");
    socket.unshift(start);
    this.#secured = start[0] === 0x16;
  }

  async #acceptTls({ certificate, privateKey }: Identity): Promise<tls.TLSSocket> {
    const none = { minVersion: undefined, maxVersion: undefined, ciphers: undefined, meddling: undefined };
    const { minVersion, maxVersion, ciphers, meddling } = { ...none, ...this.#behaviour };
    const old = maxVersion === "TLSv1" || maxVersion === "TLSv1.1";
    try {
      const socket = meddling ? new Meddler(this.#socket, meddling) : this.#socket;
      const secure = await acceptTls(socket, {
        cert: certificate,
        key: privateKey,
        ...(minVersion && { minVersion }),
        ...(maxVersion && { maxVersion }),
        ...(ciphers && { ciphers }),
        // OpenSSL offers the versions before 1.2 only at its lowest security level.
        ...(old && { minVersion: minVersion ?? maxVersion, ciphers: "DEFAULT:@SECLEVEL=0" }),
      });
      this.#evidence.tlsHandshakes += 1;
      secure.on("error", (error) => this.#evidence.tlsErrors.push(error.message));
      return secure;
    } catch (error) {
      this.#evidence.tlsErrors.push((error as Error).message);
      throw error;
    }
  }

  async #login(stream: net.Socket, packet: packets.Packet): Promise<void> {
    const behaviour = this.#behaviour;
    // A command instead of the login: the client has accepted an injected OK.
    if (packet.sequence === 0) {
      this.#serve(stream, packet);
      return;
    }
    this.#recordLogin(packet.payload);
    let sequence = packet.sequence + 1;
    const denied =
      behaviour.kind === "auth-switch" || (behaviour.kind === "tls" && behaviour.login === "denied");
    if (behaviour.kind === "auth-switch") {
      stream.write(packets.frame(sequence, packets.authSwitchRequest(behaviour.plugin, this.#scramble)));
      const { payload, sequence: last } = await readPacket(stream);
      this.#evidence.credentialBytes += payload.length;
      this.#evidence.switchResponses.push(payload);
      sequence = last + 1;
    }
    if (denied) {
      stream.end(packets.frame(sequence, packets.errPacket(1045, "Access denied by the rogue", "28000")));
      return;
    }
    stream.write(packets.frame(sequence, packets.okPacket()));
    this.#serve(stream);
  }

  #recordLogin(payload: Buffer): void {
    try {
      const { userName, authResponse } = packets.parseHandshakeResponse(payload);
      this.#evidence.userNames.push(userName);
      this.#evidence.credentialBytes += Buffer.byteLength(userName) + authResponse.length;
    } catch {
      // The packet cannot be parsed, so all of it counts.
      this.#evidence.credentialBytes += payload.length;
    }
  }

  #serve(stream: net.Socket, first?: packets.Packet): void {
    const splitter = new packets.PacketSplitter();
    const answer = ({ sequence, payload }: packets.Packet) => {
      if (sequence === 0) this.#command(stream, payload);
    };
    if (first !== undefined) answer(first);
    stream.on("data", (chunk) => splitter.push(chunk).forEach(answer));
  }

  #command(stream: net.Socket, payload: Buffer): void {
    const command = packets.commandName(payload);
    const sql = packets.sqlOf(payload, serverCapabilities);
    this.#evidence.commands.push(sql === undefined ? { command } : { command, text: sql.slice(0, 200) });
    if (command === "COM_QUIT") stream.end();
    if (packets.commandsWithoutReply.has(command)) return;
    const payloads = this.#reply(command, sql ?? "");
    stream.write(Buffer.concat(payloads.map((reply, index) => packets.frame(index + 1, reply))));
  }

  #reply(command: string, sql: string): Buffer[] {
    if (command === "COM_STMT_PREPARE") return [packets.errPacket(1295, "This server prepares nothing")];
    if (command === "COM_STMT_EXECUTE")
      return [packets.errPacket(1243, "Unknown prepared statement handler")];
    if (command !== "COM_QUERY" || !("onQuery" in this.#behaviour)) return [packets.okPacket()];
    const answer = this.#behaviour.onQuery(sql);
    if ("errno" in answer) return [packets.errPacket(answer.errno, answer.message, answer.sqlState)];
    return answer.columns.length === 0 ? [packets.okPacket()] : textResultset(answer.columns, answer.rows);
  }
}

const serverCapabilities =
  packets.capability.LONG_PASSWORD |
  packets.capability.LONG_FLAG |
  packets.capability.CONNECT_WITH_DB |
  packets.capability.PROTOCOL_41 |
  packets.capability.TRANSACTIONS |
  packets.capability.SECURE_CONNECTION |
  packets.capability.MULTI_RESULTS |
  packets.capability.PS_MULTI_RESULTS |
  packets.capability.PLUGIN_AUTH |
  packets.capability.CONNECT_ATTRS |
  packets.capability.PLUGIN_AUTH_LENENC_CLIENT_DATA;

// A NUL would end the scramble early, because the protocol treats it as text; real servers avoid it too.
function scramble(): Buffer {
  return Buffer.from(randomBytes(20).map((byte) => (byte % 127) + 1));
}

// "ProtocolText::Resultset" for a client without DEPRECATE_EOF: columns, EOF, rows, EOF.
function textResultset(
  columns: readonly string[],
  rows: readonly (readonly (string | number | null)[])[],
): Buffer[] {
  const eof = Buffer.from([0xfe, 0, 0, 0x02, 0x00]);
  const definitions = columns.map((name) => {
    // "Protocol::ColumnDefinition41": utf8mb4, VAR_STRING
    const fixed = Buffer.from([0x0c, 255, 0, 0xff, 0xff, 0, 0, 0xfd, 0, 0, 0, 0, 0]);
    return Buffer.concat([...["def", "", "", "", name, name].map(lengthEncoded), fixed]);
  });
  const values = rows.map((row) =>
    Buffer.concat(row.map((value) => (value === null ? Buffer.from([0xfb]) : lengthEncoded(String(value))))),
  );
  return [Buffer.from([columns.length]), ...definitions, eof, ...values, eof];
}

// "Protocol::LengthEncodedString", shorter than 64 KiB
function lengthEncoded(text: string): Buffer {
  const bytes = Buffer.from(text, "utf8");
  const { length } = bytes;
  return Buffer.concat([Buffer.from(length < 0xfb ? [length] : [0xfc, length & 0xff, length >>> 8]), bytes]);
}
