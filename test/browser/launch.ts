import type { Browser } from "playwright-core";
import { chromium } from "playwright-core";
import type { Chromium } from "./chromium.ts";

/** Options that playwright does not set itself. With them Chromium contacts nothing outside this machine. */
const args = [
  "--disable-gpu",
  "--disable-quic",
  "--disable-sync",
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

/** Starts Chromium without a window. */
export async function launch({ program, environment }: Chromium): Promise<Browser> {
  const start = (chromiumSandbox: boolean) =>
    chromium.launch({ executablePath: program, env: environment, args, chromiumSandbox });
  // Chromium does not start its sandbox as root.
  if (process.getuid?.() === 0) return await start(false);
  // The sandbox needs user namespaces, which many containers forbid. The pages are our own, so it may run
  // without a sandbox.
  return await start(true).catch(() => start(false));
}
