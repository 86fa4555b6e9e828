import { Keys as GatewayKeys } from "../../src/auth/keys-object.ts";
import gateway from "../../src/index.ts";

export { Idempotency, Limiter, Pool, Proofs } from "../../src/index.ts";

/** The gateway's Keys object, with a log line for each question. */
export class Keys extends GatewayKeys {
  override async fetch(request: Request): Promise<Response> {
    console.log(JSON.stringify({ event: "keys_asked" }));
    return await super.fetch(request);
  }
}

export default gateway;
