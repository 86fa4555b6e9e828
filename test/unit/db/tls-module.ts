import { readFileSync } from "node:fs";
import { join } from "node:path";

const path = join(import.meta.dirname, "..", "..", "..", "src", "db", "links", "tls.wasm");

/** Compiles the artifact, which in a Worker the bundler does; the Workers' types know no constructor. */
export function readTlsModule(): WebAssembly.Module {
  const Module = WebAssembly.Module as unknown as new (bytes: Uint8Array) => WebAssembly.Module;
  return new Module(readFileSync(path));
}
