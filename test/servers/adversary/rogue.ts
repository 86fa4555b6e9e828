/**
 * A hostile MySQL server. Each behaviour is one way to make a client talk in clear, trust the wrong peer or
 * wait for ever. The evidence has what the client revealed.
 */
import { once } from "node:events";
import net from "node:net";
import type { Behaviour, Evidence } from "./behaviour.ts";
import { Session } from "./rogue-session.ts";

/** A running rogue. */
export interface Rogue {
  readonly port: number;
  readonly evidence: Evidence;
  /** Connections that are open now. */
  readonly open: number;
  /** Drops all clients and changes the behaviour from now on, with new evidence. */
  become(behaviour: Behaviour): void;
  stop(): Promise<void>;
}

/** Starts a rogue on a free port of 127.0.0.1. */
export async function startRogue(first: Behaviour): Promise<Rogue> {
  let behaviour = first;
  let sessions: Session[] = [];
  let evidence = newEvidence(sessions);
  let open = 0;
  const server = net.createServer({ noDelay: true }, (socket) => {
    evidence.connections += 1;
    open += 1;
    socket.once("close", () => {
      open -= 1;
    });
    const session = new Session(socket, behaviour, evidence);
    sessions.push(session);
    // Most behaviours make the client leave early, so that is no error.
    void session.run().catch(() => {});
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const leave = () => {
    for (const session of sessions) session.destroy();
  };
  return {
    port: (server.address() as net.AddressInfo).port,
    get evidence() {
      return evidence;
    },
    get open() {
      return open;
    },
    become: (next) => {
      leave();
      behaviour = next;
      sessions = [];
      evidence = newEvidence(sessions);
    },
    stop: async () => {
      const closed = once(server, "close");
      server.close();
      leave();
      await closed;
    },
  };
}

function newEvidence(sessions: readonly Session[]): Evidence {
  return {
    connections: 0,
    get clearTextBytesAfterGreeting() {
      return sessions.reduce((sum, session) => sum + session.clearTextBytes, 0);
    },
    sslRequests: 0,
    tlsHandshakes: 0,
    tlsErrors: [],
    userNames: [],
    credentialBytes: 0,
    switchResponses: [],
    commands: [],
  };
}
