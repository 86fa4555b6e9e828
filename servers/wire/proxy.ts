/**
 * A proxy between a MySQL client and a real server. It counts round trips exactly. It can delay bytes, hold
 * them back, or refuse connections. It ends TLS on both sides, so it reads the packets in clear text. It
 * forwards them unchanged.
 */
import { once } from "node:events";
import net from "node:net";
import { type Conditions, type ProxyOptions, Relay } from "./relay.ts";
import { ConnectionLog, type SeenCommand } from "./round-trips.ts";

export type { ProxyOptions } from "./relay.ts";
export type { ConnectionLog, ProxyEvent, SeenCommand } from "./round-trips.ts";

/** The events since a mark, on all connections. The properties keep counting. */
export interface Mark {
  readonly roundTrips: number;
  readonly commands: readonly SeenCommand[];
}

/** A running proxy. */
export interface CountingProxy {
  readonly port: number;
  /** The number of accepted connections so far, including those that were closed at once. */
  readonly accepted: number;
  /** Connections that are open now. */
  readonly open: number;
  readonly connections: readonly ConnectionLog[];
  /** One number per connection, in the order of acceptance. */
  readonly loginRoundTrips: readonly number[];
  /** Round trips after the logins, on all connections. */
  roundTrips(): number;
  commands(): readonly SeenCommand[];
  mark(): Mark;
  /** Drops the records of commands and of closed connections, to save memory in a long run. */
  forget(): void;
  /** Destroys every connection on both sides. */
  dropAll(): void;
  /**
   * While on, the proxy accepts bytes and holds them back. Later it sends them on, like TCP after a broken
   * route.
   */
  blackHole(on: boolean): void;
  /** From now on, the existing connections carry nothing, as after a broken route. New connections work. */
  strand(): void;
  /** While on, new connections are accepted and closed at once. */
  refuse(on: boolean): void;
  /** Delays each direction, so a counted round trip takes at least twice this time. */
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
