import { mint, startKeyServer } from "../../servers/issuer/issuer.ts";
import type { Backends } from "../lib/backends.ts";
import { audience, policyFor } from "../lib/backends.ts";
import type { Bundle } from "../lib/bundle.ts";
import { bundleGateway } from "../lib/bundle.ts";
import { directoryOf, startGateway } from "../lib/variants.ts";
import type { Asked } from "./client.ts";
import { KeysClient } from "./client.ts";
import type { KeysReport } from "./report.ts";
import { placesReport } from "./report.ts";

export interface KeysSchedule {
  /** Rounds that do not count, because the first requests of an isolate are slow for other reasons too. */
  warmUps: number;
  rounds: number;
  /** Rounds with three new isolates each. */
  newIsolateRounds: number;
}

interface Setting {
  backends: Backends;
  schedule: KeysSchedule;
  /** @returns a client that has sent nothing yet */
  client(): KeysClient;
}

/**
 * Sends one request after the other, with the issuer's keys in different places. Each round has its own
 * issuer, and so its own Keys object. So work that is done once per issuer can be measured many times. The
 * isolates of one workerd share the objects, like isolates that are far from each other.
 */
export async function measureKeys(backends: Backends, schedule: KeysSchedule): Promise<KeysReport> {
  const key = backends.keys.ES256;
  const keyServer = await startKeyServer([key.publicJwk]);
  const client = () =>
    new KeysClient({
      mint: (iss, sub) => mint(key, { iss, aud: audience, sub }),
      fetches: () => keyServer.fetches,
    });
  const setting: Setting = { backends, schedule, client };
  const { warmUps, rounds, newIsolateRounds } = schedule;
  try {
    const [many, few] = await Promise.all([
      bundleFor("keys", backends, keyServer.jwksUri, warmUps + rounds),
      // An isolate's first request judges the policy, so the policy must be small.
      bundleFor("keys-new", backends, keyServer.jwksUri, newIsolateRounds + 1),
    ]);
    const counted = (asked: Asked[]) => placesReport(asked.filter(({ round }) => round >= warmUps));
    return {
      rounds,
      newIsolateRounds,
      running: counted(await askRunning(many, setting)),
      restarted: counted(await askRestarted(many, setting)),
      newIsolates: placesReport(await askNew(few, setting)),
    };
  } finally {
    await keyServer.stop();
  }
}

/** One of two isolates meets the round's issuer first; they take turns. */
async function askRunning(bundle: Bundle, { backends, schedule, client }: Setting): Promise<Asked[]> {
  const asking = client();
  const gateway = await startGateway("keys", bundle, backends, { isolates: 2 });
  try {
    for (let round = 0; round < schedule.warmUps + schedule.rounds; round++) {
      const [first = "", second = ""] = round % 2 === 0 ? gateway.urls : gateway.urls.toReversed();
      const remote = remoteIssuer(round);
      await asking.ask(round, "static", first, staticIssuer(round));
      await asking.ask(round, "issuer", first, remote);
      await asking.ask(round, "object", second, remote);
      const token = await asking.ask(round, "copy", second, remote);
      await asking.ask(round, "remembered", second, remote, token);
    }
  } finally {
    await gateway.stop();
  }
  return await asking.asked(gateway.logPath);
}

/** The same objects in a new process: they have only their storage. */
async function askRestarted(bundle: Bundle, { backends, schedule, client }: Setting): Promise<Asked[]> {
  const asking = client();
  const gateway = await startGateway("keys", bundle, backends, { keepState: true });
  try {
    for (let round = 0; round < schedule.warmUps + schedule.rounds; round++) {
      await asking.ask(round, "static", gateway.url, staticIssuer(round));
      await asking.ask(round, "stored", gateway.url, remoteIssuer(round));
      await asking.ask(round, "copy", gateway.url, remoteIssuer(round));
    }
  } finally {
    await gateway.stop();
  }
  return await asking.asked(gateway.logPath);
}

/**
 * Each isolate gets one request. The isolate with the objects only keeps the object running that the others
 * ask.
 */
async function askNew(bundle: Bundle, { backends, schedule, client }: Setting): Promise<Asked[]> {
  const asking = client();
  const rounds = schedule.newIsolateRounds;
  const gateway = await startGateway("keys-new", bundle, backends, { isolates: 1 + 3 * rounds });
  const warm = remoteIssuer(rounds);
  try {
    for (let round = 0; round < rounds; round++) {
      await asking.warm(gateway.url, warm);
      const requests = [
        { place: "static", issuer: staticIssuer(0) },
        { place: "object", issuer: warm },
        { place: "issuer", issuer: remoteIssuer(round) },
      ] as const;
      const urls = gateway.urls.slice(1 + 3 * round);
      // Each round begins with another one, so that none always follows the same neighbour.
      const from = round % requests.length;
      for (const [i, { place, issuer }] of [...requests.slice(from), ...requests.slice(0, from)].entries()) {
        await asking.ask(round, place, urls[i] ?? "", issuer);
      }
    }
  } finally {
    await gateway.stop();
  }
  return await asking.asked(gateway.logPath);
}

const remoteIssuer = (i: number) => `http://keys.test/remote/${i}`;
const staticIssuer = (i: number) => `http://keys.test/static/${i}`;

/**
 * No grant is for these issuers. So a request ends after the verification of its token, without the
 * database.
 */
async function bundleFor(name: string, backends: Backends, jwksUri: string, count: number): Promise<Bundle> {
  const policy = policyFor(backends) as { issuers: Record<string, unknown>[] };
  const common = { audience, algorithms: ["ES256"] };
  const jwks = { keys: [backends.keys.ES256.publicJwk] };
  const issuers = Array.from({ length: count }, (_, i) => [
    { ...common, issuer: remoteIssuer(i), jwks_uri: jwksUri },
    { ...common, issuer: staticIssuer(i), jwks },
  ]).flat();
  const extended = { ...policy, issuers: [...policy.issuers, ...issuers] };
  return await bundleGateway(directoryOf(name), extended, { worker: "counted-keys" });
}
