import { setTimeout as sleep } from "node:timers/promises";
import { createSigningKey, mint } from "../../servers/issuer/issuer.ts";
import type { Backends } from "../lib/backends.ts";
import { audience } from "../lib/backends.ts";
import type { Asking } from "../lib/http-client.ts";
import { ask } from "../lib/http-client.ts";
import { path } from "../lib/variants.ts";

/** The origin of the pages that may ask; the bench's policy names it. */
export const origin = "https://app.example";

/** Requests that need no connection to the database. */
export const probeNames = ["livez", "preflight", "badToken"] as const;
export type ProbeName = (typeof probeNames)[number];

export interface Probed {
  name: ProbeName;
  /** In milliseconds since 1970. */
  askedMs: number;
  ms: number;
}

/** The pause between two requests of a kind. */
const intervalMs = 40;

/** Sends requests until it is stopped; one of each kind at a time. */
export class Probes {
  readonly #probed: Probed[] = [];
  readonly #asking: Promise<unknown>;
  #stopped = false;

  private constructor(requests: Record<ProbeName, Asking & { status: number }>) {
    this.#asking = Promise.all(probeNames.map((name) => this.#ask(name, requests[name])));
    // stop() reports the error.
    this.#asking.catch(() => {});
  }

  /** @param url of the gateway */
  static async start(url: string, { issuer, keys }: Backends): Promise<Probes> {
    const claims = { iss: issuer.url, aud: audience, sub: "bench", role: "analyst" };
    // The gateway checks its signature, because the issuer has a key of this name.
    const kid = keys.ES256.publicJwk.kid;
    const forged = await mint(await createSigningKey("ES256"), claims, kid === undefined ? {} : { kid });
    const preflight = {
      origin,
      "access-control-request-method": "GET",
      "access-control-request-headers": "authorization",
    };
    return new Probes({
      livez: { url: `${url}/livez`, headers: {}, status: 200 },
      preflight: { url: url + path, method: "OPTIONS", headers: preflight, status: 204 },
      badToken: { url: url + path, headers: { authorization: `Bearer ${forged}` }, status: 401 },
    });
  }

  /** @throws Error if one had another answer */
  async stop(): Promise<Probed[]> {
    this.#stopped = true;
    await this.#asking;
    return this.#probed;
  }

  async #ask(name: ProbeName, { status, ...request }: Asking & { status: number }): Promise<void> {
    while (!this.#stopped) {
      const startedMs = performance.now();
      const answered = await ask(request);
      if (answered.status !== status) {
        throw new Error(`${name} was answered with ${answered.status}: ${answered.body}`);
      }
      const ms = performance.now() - startedMs;
      this.#probed.push({ name, askedMs: performance.timeOrigin + startedMs, ms });
      await sleep(intervalMs);
    }
  }
}
