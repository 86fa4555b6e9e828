/**
 * A proxy between a MySQL client and a real server that counts round trips exactly and can be slow, deaf or
 * gone. It ends TLS on both sides, so it sees the packets in clear, and forwards them unchanged.
 */
import { once } from "node:events";
import net from "node:net";
import { type Conditions, type ProxyOptions, Relay } from "./relay.ts";
import { ConnectionLog, type SeenCommand } from "./round-trips.ts";

export type { ProxyOptions } from "./relay.ts";
export type { ConnectionLog, ProxyEvent, SeenCommand } from "./round-trips.ts";

/** What happened since a mark, on all connections; the properties keep counting. */
export interface Mark {
  readonly roundTrips: number;
  readonly commands: readonly SeenCommand[];
}

/** A running proxy. */
export interface CountingProxy {
  readonly port: number;
  /** Connections accepted so far, the refused ones too. */
  readonly accepted: number;
  /** Connections that are open now. */
  readonly open: number;
  readonly connections: readonly ConnectionLog[];
  /** One number for each connection, in the order of acceptance. */
  readonly loginRoundTrips: readonly number[];
  /** Round trips after the logins, on all connections. */
  roundTrips(): number;
  commands(): readonly SeenCommand[];
  mark(): Mark;
  /** Drops what was recorded of commands and of connections that are closed: a long run has no use for it. */
  forget(): void;
  /** Destroys every connection on both sides. */
  dropAll(): void;
  /** While on, bytes are accepted and held back; they travel on when it ends, like TCP after a lost route. */
  blackHole(on: boolean): void;
  /** From now on the connections that are there carry nothing, as after a lost route; new ones do. */
  strand(): void;
  /** While on, new connections are accepted and closed at once. */
  refuse(on: boolean): void;
  /** Delays each direction: a counted round trip then takes at least twice this time. */
  setDelayMs(delayMs: number): void;
  stop(): Promise<void>;
}

/** Starts a proxy on a free port of 127.0.0.1. */
export async function startCountingProxy(options: ProxyOptions): Promise<CountingProxy> {
  let conditions: Conditions = { delayMs: options.delayMs ?? 0, deaf: false };
  const connections: ConnectionLog[] = [];
  const commands: SeenCommand[] = [];
  const relays = new Set<Relay>();
  let accepted = 0;
  let refusing = false;
  const server = net.createServer({ noDelay: true }, (client) => {
    accepted += 1;
    client.on("error", () => {});
    if (refusing) {
      client.destroy();
      return;
    }
    const log = new ConnectionLog(commands);
    connections.push(log);
    const relay = new Relay(client, options, conditions, log);
    relays.add(relay);
    void relay.run().finally(() => relays.delete(relay));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  const roundTrips = () => connections.reduce((sum, log) => sum + log.roundTrips, 0);
  const dropAll = () => {
    for (const relay of relays) relay.destroy();
  };
  return {
    port,
    connections,
    roundTrips,
    dropAll,
    get accepted() {
      return accepted;
    },
    get open() {
      return [...relays].filter((relay) => relay.open).length;
    },
    get loginRoundTrips() {
      return connections.map((log) => log.loginRoundTrips);
    },
    commands: () => [...commands],
    mark: () => newMark(roundTrips, commands),
    forget: () => {
      commands.length = 0;
      connections.splice(0, connections.length, ...[...relays].map((relay) => relay.log));
      for (const log of connections) log.events.length = 0;
    },
    blackHole: (on) => {
      conditions.deaf = on;
      for (const relay of relays) relay.wake();
    },
    strand: () => {
      conditions.deaf = true;
      conditions = { ...conditions, deaf: false };
    },
    refuse: (on) => {
      refusing = on;
    },
    setDelayMs: (delayMs) => {
      conditions.delayMs = delayMs;
    },
    stop: async () => {
      const closed = once(server, "close");
      server.close();
      dropAll();
      await closed;
    },
  };
}

function newMark(roundTrips: () => number, commands: readonly SeenCommand[]): Mark {
  const before = { roundTrips: roundTrips(), commands: commands.length };
  return {
    get roundTrips() {
      return roundTrips() - before.roundTrips;
    },
    get commands() {
      return commands.slice(before.commands);
    },
  };
}
