import { Stop } from "./errors.ts";

/**
 * Refuses a command that starts servers where their processes cannot be guarded and ended as POSIX does.
 * @throws Stop on Windows
 */
export function demandPosix(command: string, platform: NodeJS.Platform = process.platform): void {
  if (platform !== "win32") return;
  throw new Stop(`tidegate ${command} does not run on Windows itself: run it in WSL, or on Linux or macOS.`);
}
