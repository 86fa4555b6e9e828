/**
 * The system calls of src/db/links/tls.wasm (WASI preview 1): the time, random bytes, and four calls that
 * Rust's standard library links but does not need. The module gets no file, no environment variable and no
 * output.
 */

/** WASI's errno for a call that does not exist. */
const notSupported = 52;
/** The most bytes from one call of getRandomValues (Web Cryptography §10.1.1). */
const randomBytes = 65_536;

/** @param memory returns the instance's current buffer, because growing the memory replaces it */
export function systemCalls(memory: () => ArrayBufferLike): Record<string, WebAssembly.ImportValue> {
  const view = () => new DataView(memory());
  return {
    /**
     * Nanoseconds since 1970. In a Worker this is the time of the last I/O, rarely more than a second ago.
     */
    clock_time_get(_clock: number, _precision: bigint, result: number): number {
      view().setBigUint64(result, BigInt(Date.now()) * 1_000_000n, true);
      return 0;
    },
    random_get(pointer: number, length: number): number {
      for (let at = 0; at < length; at += randomBytes) {
        const size = Math.min(randomBytes, length - at);
        crypto.getRandomValues(new Uint8Array(memory() as ArrayBuffer, pointer + at, size));
      }
      return 0;
    },
    environ_sizes_get(count: number, bytes: number): number {
      view().setUint32(count, 0, true);
      view().setUint32(bytes, 0, true);
      return 0;
    },
    environ_get: () => 0,
    fd_write: () => notSupported,
    proc_exit(code: number): never {
      throw new Error(`exit code ${code}`);
    },
  };
}
