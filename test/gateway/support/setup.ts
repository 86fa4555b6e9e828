import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { packageRoot } from "../../../cli/project/paths.ts";
import { loadSample } from "../../../servers/database/sample.ts";
import type { Engine } from "../../../servers/database/server.ts";
import { isEngine, ServerUnavailableError, startDatabase } from "../../../servers/database/server.ts";
import { ensurePki } from "../../../servers/pki.ts";

/** Facts about the running server, for the tests. */
export interface TestServer {
  port: number;
  administrator: { user: "root"; password: string };
  ca: string;
  caPath: string;
  pkiDirectory: string;
  /** Worker secrets: the passwords of the sample's login accounts. */
  passwords: Record<string, string>;
  /** The sample accounts that are proxy users, each with its identity. */
  actsAs: Record<string, string | undefined>;
}

declare module "vitest" {
  export interface ProvidedContext {
    engine: Engine;
    server: TestServer;
    /** The file to which each gateway adds what was searched in its log (leaks.ts). */
    searched: string;
  }
}

/** Starts the engine's server with the sample database, once for all test files of a project. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { name } = project;
  const engine = name.replace(/-only$/, "");
  if (!isEngine(engine)) throw new Error(`${engine} is no engine`);
  const directory = join(packageRoot, ".tidegate", "test");
  mkdirSync(directory, { recursive: true });
  const pki = await ensurePki(join(directory, "pki"));
  // wrangler reads this when it is loaded: the CAs that workerd trusts.
  process.env.NODE_EXTRA_CA_CERTS = pki.caPath;
  const log = (line: string) => console.log(`  ${line}`);
  const server = await startDatabase({ engine, directory: join(directory, name), pki, log }).catch(
    unavailable,
  );
  const passwords = { analyst: "analyst's test password", editor: "editor's test password" };
  const accounts = await loadSample(server, { passwords, cities: 5_000, log });
  project.provide("server", {
    port: server.port,
    administrator: server.administrator,
    ca: pki.ca,
    caPath: pki.caPath,
    pkiDirectory: join(directory, "pki"),
    passwords: { ANALYST_PASSWORD: passwords.analyst, EDITOR_PASSWORD: passwords.editor },
    actsAs: { analyst: accounts.analyst.actsAs, editor: accounts.editor.actsAs },
  });
  const searched = join(directory, `searched-${name}`);
  writeFileSync(searched, "");
  project.provide("searched", searched);
  return async () => {
    log(searchReport(readFileSync(searched, "utf8")));
    await server.stop();
  };
}

/**
 * If no server is available, the reason goes into the file that `npm test` names. `npm test` reports it and
 * does not fail; with CI set it fails.
 */
function unavailable(cause: unknown): never {
  const path = process.env.TIDEGATE_UNAVAILABLE;
  if (cause instanceof ServerUnavailableError && path !== undefined) writeFileSync(path, cause.message);
  throw cause;
}

/**
 * @param searched a line for each gateway: its number of log lines and of secrets. A gateway that leaked
 * has no line, because it failed its test.
 */
function searchReport(searched: string): string {
  const counts = searched
    .split("\n")
    .filter(Boolean)
    .map((line) => line.split(" ").map(Number));
  const sum = (column: number) => counts.reduce((total, count) => total + (count[column] ?? 0), 0);
  return `logs of ${counts.length} gateways: ${sum(0)} lines searched for ${sum(1)} secrets and tokens, none found`;
}
