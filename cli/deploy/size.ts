import { Stop } from "../command/errors.ts";

/** How large the bundle may be. Pure. */

const kib = 1024;
const mib = 1024 * kib;

/**
 * Cloudflare's limit on every plan, without compression, since 2026-09-04; the limits of compressed size (3 MB, 10 MB) are
 * gone: https://developers.cloudflare.com/workers/platform/limits/#worker-size
 */
const platformBytes = 64 * mib;

/**
 * Our own budget, compressed. Tidegate has about 0.9 MiB; saved queries and CAs are the rest. Each new isolate reads all
 * of it before its first answer, and Cloudflare allows 1 s for that.
 */
const budgetBytes = 2 * mib;

/**
 * @param raw bytes of the script and its modules
 * @param gzip the same, compressed
 * @returns one line for the operator
 * @throws Stop if Cloudflare would refuse it
 */
export function checkSize({ raw_bytes: raw, gzip_bytes: gzip }: { raw_bytes: number; gzip_bytes: number }) {
  const size = `${Math.ceil(raw / kib)} KiB, compressed ${Math.ceil(gzip / kib)} KiB`;
  if (raw > platformBytes)
    throw new Stop(`size: ${size}: Cloudflare takes ${platformBytes / mib} MiB. Deploy fewer saved queries.`);
  if (gzip > budgetBytes)
    return `${size}: WARNING: more than ${budgetBytes / mib} MiB compressed makes each start slow; split the saved queries among several gateways`;
  return `${size} (Cloudflare takes ${platformBytes / mib} MiB)`;
}
