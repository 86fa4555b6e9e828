import { DurableObject } from "cloudflare:workers";
import type { PoolRequest } from "../../src/db/pool/messages/protocol.ts";
import { protocolVersion } from "../../src/db/pool/messages/protocol.ts";
import { countryWork } from "./work.ts";

/** What bench/select/variants.ts binds. */
interface Bindings {
  HOP: DurableObjectNamespace<Hop>;
  SQL: string;
  /** JSON: the gateway's answers by the country's code. */
  ANSWERS: string;
}

const headers = { "content-type": "application/json; charset=utf-8" };
const bodies = new Map<string, string>();
let id: DurableObjectId | undefined;

/** Takes the request's bytes and gives a constant answer for each code. */
export class Hop extends DurableObject<Bindings> {
  readonly #answers = new Map(
    Object.entries(JSON.parse(this.env.ANSWERS) as Record<string, string>).map(([code, answer]) => [
      code,
      new TextEncoder().encode(answer),
    ]),
  );

  override async fetch(request: Request): Promise<Response> {
    await request.text();
    return new Response(this.#answers.get(codeOf(request.url)), { headers });
  }
}

/**
 * Only a way from the Worker to the Durable Object: a request by fetch. It was the gateway's own way up to protocol 9,
 * and stays here as it was, because ratios to this hop are compared over time.
 */
export default {
  async fetch(request, env): Promise<Response> {
    const code = codeOf(request.url);
    let body = bodies.get(code);
    if (body === undefined) {
      const message: PoolRequest = {
        version: protocolVersion,
        generation: "0".repeat(64),
        requestId: "00000000-0000-4000-8000-000000000000",
        workId: "00000000-0000-4000-8000-000000000000",
        account: "analyst",
        work: countryWork(env.SQL, code),
      };
      body = JSON.stringify(message);
      bodies.set(code, body);
    }
    id ??= env.HOP.idFromName("hop");
    return await env.HOP.get(id).fetch(`https://pool/${code}`, { method: "POST", body });
  },
} satisfies ExportedHandler<Bindings>;

/** The cheapest way to find it: the hop is measured, not a parser of URLs. */
function codeOf(url: string): string {
  return url.slice(-2);
}
