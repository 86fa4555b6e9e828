import type { Docs } from "../config/config.ts";
import { TidegateError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { AppContext } from "./context.ts";
import { headersOf, pageOf } from "./docs-page.ts";
import type { Endpoint } from "./endpoints.ts";

/** `GET /docs`, the documentation page, and its files. Both are there only if the policy has `[docs]`. */
export const docs: Endpoint[] = [
  { path: "/docs", isPublic: true, isOn: hasDocs, methods: { GET: page } },
  { path: "/docs/:file{.+}", isPublic: true, isOn: hasDocs, methods: { GET: file } },
];

/** By the end of a file's name. A self-hosted workerd knows no types. */
const types: Readonly<Record<string, string>> = {
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  txt: "text/plain; charset=utf-8",
};

function hasDocs({ docs }: AppContext["config"]): boolean {
  return docs !== undefined;
}

function docsOf({ config }: AppContext): Docs {
  if (config.docs === undefined) throw new TidegateError("route_unknown");
  return config.docs;
}

function page(c: AppContext): Response {
  const docs = docsOf(c);
  return new Response(pageOf(docs), {
    headers: { ...headersOf(docs), "content-type": "text/html; charset=utf-8" },
  });
}

/** @throws TidegateError `route_unknown` for a file that is not there, or no longer */
async function file(c: AppContext): Promise<Response> {
  const docs = docsOf(c);
  const [folder, name = "", ...more] = c.param.split("/");
  const type = types[name.slice(name.lastIndexOf(".") + 1)];
  const isKnown = folder === docs.viewer && more.length === 0 && /^[a-z\d.-]+$/.test(name);
  if (!isKnown || type === undefined) throw new TidegateError("route_unknown");
  const found = await c.env.ASSETS.fetch(new URL(`/docs/${folder}/${name}`, c.url));
  if (found.status !== 200) {
    await found.body?.cancel();
    throw new TidegateError("route_unknown");
  }
  return new Response(found.body, {
    headers: {
      ...headersOf(docs),
      "content-type": type,
      // The folder's name is a digest of its files.
      "cache-control": `public, max-age=${limits.viewerAgeSeconds}, immutable`,
    },
  });
}
