import * as packets from "../../../servers/wire/packets.ts";
import type { Meddler } from "../../../servers/wire/tampering.ts";

/** Random numbers from 0 up to 1; the same seed gives the same numbers (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** How often a packet is changed, from 0 to 1, and how often each way was used; shared by all connections. */
export interface Mutations {
  rate: number;
  readonly counts: Record<string, number>;
}

type Change = (packet: packets.Packet, random: () => number) => Buffer;

const whole = ({ sequence, payload }: packets.Packet) => packets.frame(sequence, payload);
const somewhere = (bytes: Buffer, random: () => number) => Math.floor(random() * bytes.length);

/**
 * First changes of the bytes on the wire, with the header; then changes of the payload alone, in a frame
 * that fits.
 */
const changes: Record<string, Change> = {
  "flip a bit": (packet, random) => {
    const bytes = whole(packet);
    const at = somewhere(bytes, random);
    bytes[at] = (bytes[at] as number) ^ (1 << Math.floor(random() * 8));
    return bytes;
  },
  "delete a byte": (packet, random) => {
    const bytes = whole(packet);
    const at = somewhere(bytes, random);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]);
  },
  "repeat a byte": (packet, random) => {
    const bytes = whole(packet);
    const at = somewhere(bytes, random);
    return Buffer.concat([bytes.subarray(0, at + 1), bytes.subarray(at)]);
  },
  "insert bytes": (packet, random) => {
    const bytes = whole(packet);
    const at = somewhere(bytes, random);
    const more = Buffer.from(Array.from({ length: 1 + Math.floor(random() * 40) }, () => random() * 256));
    return Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)]);
  },
  "repeat the packet": (packet) => Buffer.concat([whole(packet), whole(packet)]),
  "repeat it with the next number": (packet) =>
    Buffer.concat([whole(packet), packets.frame(packet.sequence + 1, packet.payload)]),
  "leave the packet out": () => Buffer.alloc(0),
  "another number": (packet, random) => packets.frame(Math.floor(random() * 256), packet.payload),
  "a byte of the payload": ({ sequence, payload }, random) => {
    const changed = Buffer.from(payload);
    if (changed.length > 0) changed[somewhere(changed, random)] = Math.floor(random() * 256);
    return packets.frame(sequence, changed);
  },
  "its first byte": ({ sequence, payload }, random) => {
    const marks = [0x00, 0x01, 0xfb, 0xfe, 0xff];
    const first = Buffer.from([marks[Math.floor(random() * marks.length)] as number]);
    return packets.frame(sequence, Buffer.concat([first, payload.subarray(1)]));
  },
  "cut it off": ({ sequence, payload }, random) =>
    packets.frame(sequence, payload.subarray(0, somewhere(payload, random))),
  "make it longer": ({ sequence, payload }, random) =>
    packets.frame(sequence, Buffer.concat([payload, payload.subarray(0, 1 + somewhere(payload, random))])),
};

/** Changes the server's packets at random, after the login. */
export class Mutator implements Meddler {
  readonly #random: () => number;
  readonly #mutations: Mutations;
  readonly #fromClient = new packets.PacketSplitter();
  readonly #fromServer = new packets.PacketSplitter();
  #loggedIn = false;

  constructor(random: () => number, mutations: Mutations) {
    this.#random = random;
    this.#mutations = mutations;
  }

  fromClient(chunk: Buffer): void {
    if (this.#loggedIn) return;
    this.#loggedIn = this.#fromClient.push(chunk).some(({ sequence }) => sequence === 0);
  }

  fromServer(chunk: Buffer): Buffer {
    return Buffer.concat(this.#fromServer.push(chunk).map((packet) => this.#perhaps(packet)));
  }

  #perhaps(packet: packets.Packet): Buffer {
    if (!this.#loggedIn || this.#random() >= this.#mutations.rate) return whole(packet);
    const names = Object.keys(changes);
    const name = names[Math.floor(this.#random() * names.length)] as string;
    const { counts } = this.#mutations;
    counts[name] = (counts[name] ?? 0) + 1;
    return (changes[name] as Change)(packet, this.#random);
  }
}
