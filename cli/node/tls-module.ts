import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * Compiles the TLS artifact. In a Worker the bundler does this; the Workers' types have no constructor for
 * a module.
 */
export function readTlsModule(): WebAssembly.Module {
  const Module = WebAssembly.Module as unknown as new (bytes: Uint8Array) => WebAssembly.Module;
  return new Module(readFileSync(join(import.meta.dirname, "../../src/db/links/tls.wasm")));
}
