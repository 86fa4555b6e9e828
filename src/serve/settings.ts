/** What `tidegate serve` tells the Worker, as the JSON binding SERVE. */
export interface ServeSettings {
  /** The networks of the proxies whose X-Forwarded-* headers count, in CIDR notation. */
  proxies: string[];
  /** How many requests one network may make in `period` seconds; null: without a limit. */
  wall: { limit: number; period: number } | null;
}
