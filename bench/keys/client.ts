import { readLog } from "../lib/log.ts";

/** The place where the keys for a request's token are. */
export type Place = "remembered" | "copy" | "static" | "object" | "stored" | "issuer";

/** One request. */
export interface Asked {
  round: number;
  place: Place;
  ms: number;
  /** Requests from the isolate to the Keys object. */
  hops: number;
  /** Requests from the Keys object to the issuer. */
  fetches: number;
}

export interface KeysClientOptions {
  mint(issuer: string, subject: string): Promise<string>;
  /** @returns how often the issuer has been asked until now */
  fetches(): number;
}

/** Sends one request after the other to a gateway, and records the time of each. */
export class KeysClient {
  readonly #options: KeysClientOptions;
  readonly #asked: Omit<Asked, "hops">[] = [];
  #subjects = 0;

  constructor(options: KeysClientOptions) {
    this.#options = options;
  }

  /**
   * @param token a token that was used before; without it a new token of the issuer
   * @returns the token
   */
  async ask(round: number, place: Place, url: string, issuer: string, token?: string): Promise<string> {
    const bearer = token ?? (await this.#options.mint(issuer, `bench-${this.#subjects++}`));
    const before = this.#options.fetches();
    const headers = { authorization: `Bearer ${bearer}`, "x-request-id": `asked-${this.#asked.length}` };
    const ms = await timed(url, headers);
    this.#asked.push({ round, place, ms, fetches: this.#options.fetches() - before });
    return bearer;
  }

  /** A request that is not recorded. */
  async warm(url: string, issuer: string): Promise<void> {
    const bearer = await this.#options.mint(issuer, "warm");
    await timed(url, { authorization: `Bearer ${bearer}`, "x-request-id": "warm" });
  }

  /**
   * @param logPath of the stopped gateway. Lines between those of two requests belong to the second one,
   * because no requests overlapped
   */
  async asked(logPath: string): Promise<Asked[]> {
    const hops = new Map<string, number>();
    let since = 0;
    for await (const { event, request_id = "" } of readLog(logPath)) {
      if (event === "keys_asked") since += 1;
      if (event !== "request") continue;
      hops.set(request_id, since);
      since = 0;
    }
    return this.#asked.map((asked, i) => ({ ...asked, hops: hops.get(`asked-${i}`) ?? NaN }));
  }
}

async function timed(url: string, headers: Record<string, string>): Promise<number> {
  const startedMs = performance.now();
  const response = await fetch(`${url}/v1/queries/country?code=US`, { headers });
  const text = await response.text();
  const ms = performance.now() - startedMs;
  if (response.status !== 403) throw new Error(`instead of a refusal came ${response.status}: ${text}`);
  return ms;
}
