import type net from "node:net";
import { expect } from "vitest";
import type { Packet } from "../../../servers/wire/packets.ts";
import { errPacket, frame } from "../../../servers/wire/packets.ts";
import type { CountingProxy } from "../../../servers/wire/proxy.ts";
import type { Spot, Trick } from "../../../servers/wire/tampering.ts";
import { TrickMeddler } from "../../../servers/wire/tampering.ts";
import type { Answer, Gateway } from "./harness.ts";
import { startProxy } from "./harness.ts";

/**
 * A real server whose answers are changed on the way by a proxy that the gateway trusts: broken or hostile.
 */
export interface HostileServer {
  readonly proxy: CountingProxy;
  /** Plays a trick on the first packet at this spot. @returns the result */
  play(where: (spot: Spot) => boolean, what: Played): Play;
  /** Sends unrequested bytes to every connected client. */
  say(bytes: Buffer): void;
  stop(): Promise<void>;
}

export type Played = (packet: Packet, client: net.Socket) => ReturnType<Trick>;

export interface Play {
  /** Undefined until the trick has been played. */
  readonly victim: TrickMeddler | undefined;
  /** Whether the connection has been closed since then. */
  readonly closed: boolean;
}

export async function startHostileServer(): Promise<HostileServer> {
  let waiting: { where: (spot: Spot) => boolean; what: Played; play: Mutable<Play> } | undefined;
  const clients = new Set<net.Socket>();
  const proxy = await startProxy({
    meddle: (client) => {
      clients.add(client);
      let played: Mutable<Play> | undefined;
      client.once("close", () => {
        clients.delete(client);
        if (played) played.closed = true;
      });
      const meddler = new TrickMeddler(client, (packet, spot) => {
        if (!waiting?.where(spot)) return undefined;
        const { what, play } = waiting;
        waiting = undefined;
        played = play;
        play.victim = meddler;
        return what(packet, client);
      });
      return meddler;
    },
  });
  return {
    proxy,
    play: (where, what) => {
      const play = { victim: undefined, closed: false };
      waiting = { where, what, play };
      return play;
    },
    say: (bytes) => {
      for (const client of clients) client.write(bytes);
    },
    stop: () => proxy.stop(),
  };
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Replaces a packet by these bytes. */
export const say =
  (make: (packet: Packet) => Buffer | Buffer[], after?: "cut" | "swallow"): Played =>
  (packet) => {
    const made = make(packet);
    return { send: Array.isArray(made) ? Buffer.concat(made) : made, ...(after && { after }) };
  };

export const original = ({ sequence, payload }: Packet) => frame(sequence, payload);
export const next = ({ sequence }: Packet, more = 1) => (sequence + more) & 0xff;
export const ok = Buffer.from([0, 0, 0, 2, 0, 0, 0]);
export const eof = Buffer.from([0xfe, 0, 0, 2, 0]);
export const error = errPacket(1105, "the server's own trouble");
export const infile = Buffer.from("\xfb/etc/passwd", "latin1");

/** A whole answer with one row that nobody asked for, from this packet number on. */
export function stray(first = 1): Buffer {
  const text = (value: string) => Buffer.concat([Buffer.from([value.length]), Buffer.from(value)]);
  const fixed = Buffer.from([0x0c, 255, 0, 0xff, 0xff, 0, 0, 0xfd, 0, 0, 0, 0, 0]);
  const column = Buffer.concat([...["def", "", "", "", "stray", ""].map(text), fixed]);
  const row = Buffer.concat([Buffer.from([0, 0]), text("another caller's")]);
  return Buffer.concat(
    [Buffer.from([1]), column, eof, row, eof].map((payload, at) => frame(first + at, payload)),
  );
}

/** Replaces a packet by endless packets, as fast as the client reads, and counts their bytes. */
export function pour(payload: Buffer): { what: Played; readonly bytes: number } {
  let bytes = 0;
  const what: Played = ({ sequence }, client) => {
    let last = sequence;
    const many = () => {
      const packets = Array.from({ length: Math.ceil(16_384 / payload.length) }, () => {
        last = (last + 1) & 0xff;
        return frame(last, payload);
      });
      return Buffer.concat(packets);
    };
    const goOn = () => {
      while (!client.destroyed) {
        const chunk = many();
        bytes += chunk.length;
        if (!client.write(chunk)) return;
      }
    };
    client.on("drain", goOn);
    setImmediate(goOn);
    return { send: frame(sequence, payload), after: "swallow" };
  };
  return {
    what,
    get bytes() {
      return bytes;
    },
  };
}

let nonces = 0;

/** A unique question: its answer cannot be mistaken for another one. */
export function question(name = "own"): { sql: string; params: string[]; rows: unknown[] } {
  const nonce = `${name}-${++nonces}`;
  return {
    sql: `SELECT ? AS ${name}, CONCAT(?, '!') AS again`,
    params: [nonce, nonce],
    rows: [{ [name]: nonce, again: `${nonce}!` }],
  };
}

/** A few more callers than there are connections: each must get its own answer. */
export async function expectOwnAnswers(gateway: Gateway): Promise<void> {
  const questions = Array.from({ length: 6 }, () => question());
  const answers = await Promise.all(questions.map(({ sql, params }) => gateway.sql({ sql, params })));
  expect(answers.map(({ body }) => body.rows ?? body)).toEqual(questions.map(({ rows }) => rows));
}

/** Callers that have nothing to do with the trick, one after another: they fail if the object dies. */
export function startBystander(gateway: Gateway): () => Promise<Answer[]> {
  const answers: Answer[] = [];
  let isOver = false;
  const running = (async () => {
    while (!isOver) answers.push(await gateway.sql({ sql: "SELECT SLEEP(0.7) AS bystander" }));
  })();
  return async () => {
    isOver = true;
    await running;
    return answers;
  };
}
