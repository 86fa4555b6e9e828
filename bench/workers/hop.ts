import { DurableObject } from "cloudflare:workers";
import { encodeRequest, protocolVersion } from "../../src/db/pool/messages/protocol.ts";
import { countryWork } from "./work.ts";

/** What bench/lib/variants.ts binds. */
interface Bindings {
  HOP: DurableObjectNamespace<Hop>;
  SQL: string;
  /** The gateway's answer. */
  ANSWER: string;
}

const headers = { "content-type": "application/json; charset=utf-8" };
let body: string | undefined;
let id: DurableObjectId | undefined;

/** Takes the request's bytes and gives a constant answer. */
export class Hop extends DurableObject<Bindings> {
  readonly #answer = new TextEncoder().encode(this.env.ANSWER);

  override async fetch(request: Request): Promise<Response> {
    await request.text();
    return new Response(this.#answer, { headers });
  }
}

/** Only the gateway's way from the Worker to the Durable Object. */
export default {
  async fetch(_request, env): Promise<Response> {
    body ??= encodeRequest({
      version: protocolVersion,
      generation: "0".repeat(64),
      requestId: "00000000-0000-4000-8000-000000000000",
      workId: "00000000-0000-4000-8000-000000000000",
      account: "analyst",
      work: countryWork(env.SQL),
    });
    id ??= env.HOP.idFromName("hop");
    return await env.HOP.get(id).fetch("https://pool/", { method: "POST", body });
  },
} satisfies ExportedHandler<Bindings>;
