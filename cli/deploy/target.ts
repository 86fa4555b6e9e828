/**
 * Finds the address to test among the targets that `wrangler deploy` prints. Pure.
 * @param targets such as "https://name.example.workers.dev", "gateway.example.com (custom domain)" and
 *   "gateway.example.com/* (zone name: example.com)"
 * @returns undefined if none is one address of a whole host: a pattern with another * names many
 */
export function addressOf(targets: readonly string[]): URL | undefined {
  const addresses = targets.flatMap((target) => {
    const [place = ""] = target.split(" ");
    const host = place.replace(/^https?:\/\//, "").replace(/\/\*?$/, "");
    return /^[a-z0-9.-]+(:\d+)?$/i.test(host) ? [new URL(`https://${host}`)] : [];
  });
  // A domain of the operator's comes before workers.dev: callers use it.
  return addresses.find(({ hostname }) => !hostname.endsWith(".workers.dev")) ?? addresses[0];
}
