import type { Browser } from "playwright-core";
import { chromium } from "playwright-core";
import type { Chromium } from "./chromium.ts";

/** What playwright does not say itself; nothing outside this machine is looked for, let alone asked. */
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
  // Chromium refuses its sandbox to root.
  if (process.getuid?.() === 0) return await start(false);
  // Its sandbox needs user namespaces, which many containers forbid. The pages are our own.
  return await start(true).catch(() => start(false));
}
