import { metadataPath, resourceMetadata } from "../auth/resource-metadata.ts";
import { limits } from "../limits.ts";
import type { Endpoint } from "./endpoints.ts";

/** A client asks before it has a token (RFC 9728 §3), so the answer names only what a client needs for a login. */
export const metadata: Endpoint = {
  path: metadataPath,
  isPublic: true,
  isOpen: true,
  methods: {
    GET: (c) =>
      Response.json(resourceMetadata(c.config, c.url.origin), {
        headers: { "cache-control": `public, max-age=${limits.resourceMetadataAgeSeconds}` },
      }),
  },
};
