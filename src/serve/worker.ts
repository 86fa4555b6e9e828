import { WorkerEntrypoint } from "cloudflare:workers";
import { respond } from "../app.ts";
import type { Bindings } from "../application.ts";
import type { ReadArrival } from "../routes/context.ts";
import { arrivalBehind } from "./arrival.ts";
import type { ServeSettings } from "./settings.ts";
import { Unfinished } from "./unfinished.ts";
import { createWall } from "./wall.ts";

/**
 * The Worker of `tidegate serve`: that of Cloudflare, with what the platform does there. It runs in the Worker's own
 * isolate, because a Worker in front of it would take a third of the throughput.
 */

export * from "../index.ts";

/** The bindings of the generated configuration. */
type ServeBindings = Bindings & { SERVE: ServeSettings };

interface Served {
  bindings: Bindings;
  arrival: ReadArrival;
}

/** Made once: all requests share the counter. */
let served: Served | undefined;

function serve(bindings: ServeBindings): Served {
  const { proxies, wall } = bindings.SERVE;
  return {
    bindings: wall === null ? bindings : { ...bindings, WALL: createWall(wall.limit, wall.period) },
    arrival: arrivalBehind(proxies),
  };
}

const unfinished = new Unfinished();

/** Answers when nothing runs any more. Only `tidegate serve` can ask it, over a socket of its own. */
export class Drain extends WorkerEntrypoint {
  override fetch(): Response {
    return unfinished.answerAtEnd();
  }
}

export default {
  async fetch(request, bindings, execution) {
    served ??= serve(bindings);
    const watched = unfinished.watch(execution);
    return await unfinished.during(respond(request, served.bindings, watched, served.arrival));
  },
} satisfies ExportedHandler<ServeBindings>;
