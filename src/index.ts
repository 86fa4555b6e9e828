import { app } from "./app.ts";
import type { Bindings } from "./application.ts";

export { Pool } from "./db/pool/pool.ts";

export default { fetch: app.fetch } satisfies ExportedHandler<Bindings>;
