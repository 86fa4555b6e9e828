/**
 * A stand-in for Cloudflare's Hyperdrive, between workerd and a real server. Clients log in to it with its
 * own password, in clear. It logs in to the server over verified TLS with its only account, and lends a
 * connection of the server for a transaction. It refuses what Hyperdrive refuses by its documentation. It
 * never resets a connection, so that the next client finds whatever a transaction leaves behind.
 */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import net from "node:net";
import { HyperdriveClient } from "./client.ts";
import type { OriginOptions } from "./origin.ts";
import { greetingOf, Origin } from "./origin.ts";
import type { Reaction, Shared } from "./shared.ts";

/** A running stand-in. */
export interface HyperdriveStandIn {
  readonly port: number;
  /** The value for the binding's localConnectionString. */
  readonly connectionString: string;
  /** The statements that clients sent, in order. */
  readonly statements: readonly string[];
  /** Commands and statements that Hyperdrive does not accept. */
  readonly refused: readonly string[];
  /** The number of connections to the server that were opened until now. */
  readonly opened: number;
  /** Decides how each statement is handled from now on; without a function all are forwarded. */
  react(reaction?: (sql: string) => Reaction): void;
  /** Closes the idle connections to the server, so that the next ones get the server's new settings. */
  forget(): void;
  stop(): Promise<void>;
}

/** Starts a stand-in for one account of a server, on a free port of 127.0.0.1. */
export async function startHyperdrive(options: OriginOptions): Promise<HyperdriveStandIn> {
  const template = await greetingOf(options.server);
  const idle: Origin[] = [];
  const clients = new Set<HyperdriveClient>();
  let opened = 0;
  const shared: Shared = {
    user: options.user,
    password: randomBytes(12).toString("hex"),
    greeting: template,
    statements: [],
    refused: [],
    reaction: () => "forward",
    async lend() {
      const known = idle.pop();
      if (known) return known;
      opened += 1;
      return await Origin.open(options);
    },
    giveBack: (origin) => {
      if (origin.usable) idle.push(origin);
    },
  };
  const server = net.createServer({ noDelay: true }, (socket) => {
    const client = new HyperdriveClient(socket, shared);
    clients.add(client);
    socket.on("close", () => clients.delete(client));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  const forget = () => {
    for (const origin of idle.splice(0)) origin.destroy();
  };
  return {
    port,
    connectionString: `mysql://${shared.user}:${shared.password}@127.0.0.1:${port}/${options.database}`,
    statements: shared.statements,
    refused: shared.refused,
    get opened() {
      return opened;
    },
    react: (reaction = () => "forward") => {
      shared.reaction = reaction;
    },
    forget,
    stop: async () => {
      const closed = once(server, "close");
      server.close();
      for (const client of clients) client.destroy();
      forget();
      await closed;
    },
  };
}
