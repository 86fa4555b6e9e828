import { join } from "node:path";
import { packageRoot } from "../../../cli/project/paths.ts";
import { loadSample } from "../../../servers/database/sample.ts";
import type { DatabaseServer, StartOptions } from "../../../servers/database/server.ts";
import { startDatabase } from "../../../servers/database/server.ts";
import { ensurePki } from "../../../servers/pki.ts";
import { engine, server } from "./harness.ts";

/** More servers of the engine, beside the one that all tests of a project share. */

/** @param name two servers that run side by side need two names */
export function furtherDirectory(name: string): string {
  return join(packageRoot, ".tidegate", "test", `${engine}-${name}`);
}

/** @param options changes to the usual: `required` TLS, with a certificate of the tests' CA */
export async function startFurther(
  name: string,
  options: Partial<StartOptions> = {},
): Promise<DatabaseServer> {
  const pki = await ensurePki(server.pkiDirectory);
  return await startDatabase({ engine, directory: furtherDirectory(name), pki, log: () => {}, ...options });
}

/** Loads the sample, with the logins and passwords of the tests' gateways. */
export async function loadFurther(database: DatabaseServer, cities = 10): Promise<void> {
  const { ANALYST_PASSWORD: analyst = "", EDITOR_PASSWORD: editor = "" } = server.passwords;
  await loadSample(database, { passwords: { analyst, editor }, cities, log: () => {} });
}
