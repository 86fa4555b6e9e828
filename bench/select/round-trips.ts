import { setTimeout as sleep } from "node:timers/promises";
import { commandsWithoutReply } from "../../servers/wire/packets.ts";
import type { CountingProxy, ProxyEvent } from "../../servers/wire/proxy.ts";
import { startCountingProxy } from "../../servers/wire/proxy.ts";
import type { Backends } from "../lib/backends.ts";
import { policyFor } from "../lib/backends.ts";
import { bundleGateway, bundleWorker } from "../lib/bundle.ts";
import { directoryOf, path, startConnect, startGateway } from "../lib/variants.ts";
import type { Served } from "../lib/workerd.ts";

/** Round trips to the database and the commands in them. */
export interface Trips {
  roundTrips: number;
  commands: string[];
}

/** One request: the round trips before its answer, and those of the session afterwards. */
export interface CountedRequest {
  answer: Trips;
  restore: Trips;
}

export interface RoundTrips {
  /** A statement that was never sent before. */
  cold: CountedRequest;
  /** The same hot statement: the last restore has prepared it. */
  hot: CountedRequest;
  coldWrite: CountedRequest;
  hotWrite: CountedRequest;
  /** A connection per request: TCP, TLS and login; then all commands. */
  connect: { login: number; commands: Trips };
}

type Request = { path: string; init: RequestInit };

/** Counts with a separate gateway, whose connections (one for each account) go through a counting proxy. */
export async function countRoundTrips(backends: Backends): Promise<RoundTrips> {
  const { server, pki, tokens } = backends;
  const target = { host: server.host, port: server.port, ca: pki.ca };
  const proxy = await startCountingProxy({ target, certificate: pki.certificate, privateKey: pki.key });
  const running: Served[] = [];
  try {
    const policy = policyFor(backends, proxy.port, { connections_per_shard: 1 });
    const [gatewayBundle, connectBundle] = await Promise.all([
      bundleGateway(directoryOf("counted-gateway"), policy),
      bundleWorker(directoryOf("counted-connect"), "connect"),
    ]);
    const gateway = await startGateway("counted-gateway", gatewayBundle, backends);
    running.push(gateway);
    // Logs in with both accounts.
    await ask(gateway, { path: "/readyz", init: {} });
    const select = { path, init: { headers: { authorization: `Bearer ${tokens.analyst}` } } };
    const [cold, hot] = await countTwice(proxy, gateway, select);
    const [coldWrite, hotWrite] = await countTwice(proxy, gateway, insert(tokens.editor));
    const connect = await startConnect(
      "counted-connect",
      connectBundle,
      backends,
      policyFor(backends, proxy.port),
    );
    running.push(connect);
    return { cold, hot, coldWrite, hotWrite, connect: await countConnect(proxy, connect, select) };
  } finally {
    await Promise.all(running.map((served) => served.stop()));
    await proxy.stop();
  }
}

function insert(token: string): Request {
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const body = JSON.stringify({ city_id: 1, body: "written by the bench" });
  return { path: "/v1/queries/add-note", init: { method: "POST", headers, body } };
}

/**
 * @returns a statement's first request, and the first one after it has become hot
 * (src/db/pool/work/hot-statements.ts)
 */
async function countTwice(
  proxy: CountingProxy,
  gateway: Served,
  request: Request,
): Promise<[CountedRequest, CountedRequest]> {
  const cold = await count(proxy, gateway, request);
  // After two requests the statement is hot: the next restore prepares it.
  await ask(gateway, request);
  return [cold, await count(proxy, gateway, request)];
}

async function count(proxy: CountingProxy, gateway: Served, request: Request): Promise<CountedRequest> {
  await quiet(proxy);
  const before = proxy.connections.map(({ events }) => events.length);
  const mark = proxy.mark();
  await ask(gateway, request);
  await quiet(proxy);
  const news = proxy.connections.map(({ events }, i) => events.slice(before[i] ?? 0));
  const used = news.filter((events) => events.length > 0);
  const [events] = used;
  if (!events || used.length > 1) throw new Error(`${used.length} connections were used for one request`);
  const at = events.findIndex(({ command }) => command === "COM_RESET_CONNECTION");
  const split = at < 0 ? events.length : at;
  const counted = { answer: trips(events.slice(0, split)), restore: trips(events.slice(split)) };
  if (counted.answer.roundTrips + counted.restore.roundTrips !== mark.roundTrips) {
    throw new Error(`the proxy counted ${mark.roundTrips}, but its events say ${JSON.stringify(counted)}`);
  }
  return counted;
}

async function countConnect(
  proxy: CountingProxy,
  connect: Served,
  request: Request,
): Promise<RoundTrips["connect"]> {
  await quiet(proxy);
  const before = proxy.connections.length;
  await ask(connect, request);
  await quiet(proxy);
  const [log, ...more] = proxy.connections.slice(before);
  if (!log || more.length > 0) throw new Error("one request must make exactly one connection");
  const commands = trips(log.events.filter(({ phase }) => phase === "command"));
  return { login: log.loginRoundTrips, commands };
}

/** Commands that are written before the answer to the first of them belong to one round trip. */
function trips(events: ProxyEvent[]): Trips {
  const commands: string[] = [];
  let roundTrips = 0;
  let unanswered = false;
  for (const { kind, command = "", text } of events) {
    if (kind === "reply") unanswered = false;
    if (kind !== "command") continue;
    commands.push(text === undefined ? command : `${command} ${text.split(/\s+/).slice(0, 3).join(" ")}`);
    if (commandsWithoutReply.has(command)) continue;
    if (!unanswered) roundTrips += 1;
    unanswered = true;
  }
  return { roundTrips, commands };
}

/** The session's restore comes after the answer, so this waits until the proxy sees no more packets. */
async function quiet(proxy: CountingProxy): Promise<void> {
  const total = () => proxy.connections.reduce((sum, { events }) => sum + events.length, 0);
  let last = -1;
  while (last !== total()) {
    last = total();
    await sleep(100);
  }
}

async function ask(served: Served, { path, init }: Request): Promise<void> {
  const response = await fetch(served.url + path, init);
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${path} answered ${response.status}: ${text}`);
}
