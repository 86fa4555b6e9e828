import type { Config } from "../../config/config.ts";
import type { Link } from "./link.ts";
import { platformLink } from "./platform.ts";
import { rustlsLink } from "./rustls.ts";

/** @returns the configured link; docs/guides/links.md says which link fits which cluster */
export function selectLink({ cluster, authorities }: Pick<Config, "cluster" | "authorities">): Link {
  switch (cluster.link) {
    case "platform":
      return platformLink;
    case "rustls":
      return rustlsLink(cluster, authorities);
    case "hyperdrive":
      throw new Error("statements go through Hyperdrive from the Worker; no pool dials");
  }
}
