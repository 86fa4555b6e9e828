import { DurableObject } from "cloudflare:workers";
import type { Bindings } from "../application.ts";
import type { Proof } from "./dpop.ts";
import { ProofWindow } from "./proof-window.ts";

/**
 * The Durable Object that knows the recent proofs of one key, from all Workers. It keeps them in memory only:
 * after a restart it accepts no earlier nonce, so no earlier proof is accepted again.
 */
export class Proofs extends DurableObject<Bindings> {
  readonly #window = new ProofWindow(() =>
    Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("base64url"),
  );

  override async fetch(request: Request): Promise<Response> {
    const { id, nonce } = await request.json<Proof>();
    return Response.json(this.#window.use(nonce, id, Date.now()));
  }
}
