import { homedir } from "node:os";
import { join } from "node:path";

/**
 * The folder of programs that are installed or built once for this user, for every project and checkout.
 * https://specifications.freedesktop.org/basedir-spec/latest/
 */
export function cacheDirectory(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "tidegate");
}
