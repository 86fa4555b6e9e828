import { RegExpRouter } from "hono/router/reg-exp-router";
import { getPath, tryDecodeURIComponent } from "hono/utils/url";
import type { Config } from "../config/config.ts";
import type { AppContext } from "./context.ts";

/** Answers a request of a known caller, or throws. */
export type Handler = (c: AppContext) => Response | Promise<Response>;

/** One path, and what each of its methods does. HEAD is served by the handler of GET. */
export interface Endpoint {
  /** In the form of Hono's router. At most one segment is open, as in `/v1/queries/:name`. */
  path: string;
  methods: { GET?: Handler; POST?: Handler; DELETE?: Handler };
  /** Needs no token. */
  isPublic?: true;
  /** Pages of any origin may read its answers. */
  isOpen?: true;
  /** Whether the configuration has it; without this function every one has. */
  isOn?(config: Config): boolean;
}

/** The endpoint that a path belongs to. */
export interface Match {
  endpoint: Endpoint;
  /** The value of the open segment, decoded; empty if the path has none. */
  param: string;
  /** Undefined if the endpoint does not have the request's method. */
  handler: Handler | undefined;
}

/** @returns a function that finds the endpoint of a method and a path; undefined if no path matches */
export function createRouter(
  endpoints: readonly Endpoint[],
): (method: string, path: string) => Match | undefined {
  const router = new RegExpRouter<Endpoint>();
  for (const endpoint of endpoints) router.add("ALL", endpoint.path, endpoint);
  return (method, path) => {
    const [[found], values] = router.match("ALL", path);
    if (found === undefined) return undefined;
    const [endpoint, places] = found;
    const [place] = Object.values(places);
    return {
      endpoint,
      param: typeof place === "number" ? tryDecodeURIComponent(values?.[place] ?? "") : "",
      handler: handlerOf(endpoint, method),
    };
  };
}

function handlerOf({ methods }: Endpoint, method: string): Handler | undefined {
  const asked = method === "HEAD" ? "GET" : method;
  return Object.hasOwn(methods, asked) ? methods[asked as keyof typeof methods] : undefined;
}

/** @returns the methods of an endpoint, for the header Allow */
export function allowOf({ methods }: Endpoint): string {
  return Object.keys(methods)
    .flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method]))
    .join(", ");
}

/** @returns the path of an address, with text instead of what is percent-encoded, but for `%25` and `%2F` */
export function pathOf(address: string): string {
  return getPath({ url: address } as Request);
}
