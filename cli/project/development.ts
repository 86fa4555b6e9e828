import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Engine } from "../../servers/database/engines.ts";
import { policyForServers } from "./application.ts";
import { privateDirectory } from "./paths.ts";
import { readPolicyFile } from "./project-file.ts";
import { readJson } from "./read-text.ts";

/** @returns the path of the file in which `npm start` describes itself */
export function developmentFile(): string {
  return join(privateDirectory(), "dev.json");
}

/**
 * A file in the directory of the development gateway: its secrets by name, as JSON, for `npm run accounts`.
 */
export const secretsFile = "secrets.json";

/** What `npm start` writes to .tidegate/dev.json once everything is ready, and removes at the end. */
export interface Development {
  gateway: string;
  issuer: string;
  jwks_uri: string;
  /** The example page (examples/browser). */
  page: string;
  audience: string;
  /** Path of a file with the issuer's private JWK. */
  signing_key: string;
  /** A valid token for each role of the policy, by the role's name. */
  tokens: Record<string, string>;
  /** The role in `tokens` that may drain the gateway; null if no grant allows it. */
  operator: string | null;
  database: {
    engine: Engine;
    version: string;
    host: string;
    port: number;
    socket: string | null;
    /** Null for the user's own database: its administrator is not known. */
    administrator: { user: string; password: string } | null;
    /** The path of the CA's file; null for the public CAs. */
    ca: string | null;
  };
  /** Null for the user's own database, and for one in a container. */
  pids: { start: number; gateway: number; database: number | null };
}

/** @returns what is running now, or undefined */
export function readDevelopment(): Development | undefined {
  const file = developmentFile();
  if (!existsSync(file)) return undefined;
  const development = readJson(file) as Development;
  return isRunning(development.pids.start) ? development : undefined;
}

/** @returns an environment's policy; for development the policy of a running `npm start`, if there is one */
export function currentPolicy(environment: string): Record<string, unknown> {
  const overlay = join(privateDirectory(), "dev", "overlay.json");
  // The file stays after a start that is over.
  return environment === "development" && readDevelopment() && existsSync(overlay)
    ? overlaid(overlay)
    : readPolicyFile(environment);
}

/**
 * @param overlay a JSON file: parts that replace those of the policy, and `servers` (RunningServers), which change
 * addresses, issuers and identities in it
 * @returns the development policy as its file is now, for the servers that run
 */
export function overlaid(overlay: string): Record<string, unknown> {
  const { servers, ...parts } = JSON.parse(readFileSync(overlay, "utf8"));
  // The page of the file logs in at an issuer that the overlay may have replaced.
  const { docs: _, ...file } = readPolicyFile("development");
  return {
    ...file,
    ...(servers === undefined ? {} : policyForServers(servers)),
    ...parts,
  };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === "EPERM";
  }
}
