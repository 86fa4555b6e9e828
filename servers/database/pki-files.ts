import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ServerPki } from "./types.ts";

/** Writes the three PEM files for a server's TLS. The caller decides who may read the folder. */
export function writePki(folder: string, pki: ServerPki): void {
  writeFileSync(join(folder, "ca.pem"), pki.ca, { mode: 0o644 });
  writeFileSync(join(folder, "server.pem"), pki.certificate, { mode: 0o644 });
  writeFileSync(join(folder, "server.key"), pki.key, { mode: 0o600 });
}
