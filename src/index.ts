import { respond } from "./app.ts";
import type { Bindings } from "./application.ts";

export { Keys } from "./auth/keys-object.ts";
export { Proofs } from "./auth/proofs-object.ts";
export { Pool } from "./db/pool/object/pool.ts";
export { Idempotency } from "./idempotency/object.ts";
export { Limiter } from "./rate/limiter.ts";

export default { fetch: respond } satisfies ExportedHandler<Bindings>;
