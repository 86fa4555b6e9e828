import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readTlsModule } from "../../../../cli/node/tls-module.ts";

/**
 * The committed artifact was made from the committed sources. cli/dev/build-tls.ts --check makes it again.
 */
const root = join(import.meta.dirname, "../../../..");
const record = readFileSync(join(root, "native", "tls", "artifact.sha256"), "utf8");
const lines = record
  .trimEnd()
  .split("\n")
  .map((line) => line.split("  "));

test("the record names the artifact and all its sources", () => {
  const sources = readdirSync(join(root, "native", "tls", "src")).map((name) => `native/tls/src/${name}`);
  expect(lines.map(([, path]) => path)).toEqual([
    "native/tls/Cargo.lock",
    "native/tls/Cargo.toml",
    "native/tls/rust-toolchain.toml",
    ...sources.sort(),
    "cli/dev/build-tls.ts",
    "src/db/links/tls.wasm",
  ]);
});

test.each(lines)("%s  %s", (hash, path = "") => {
  expect(
    createHash("sha256")
      .update(readFileSync(join(root, path)))
      .digest("hex"),
  ).toBe(hash);
});

test("it imports only the time, random bytes and four calls without effect", () => {
  const module = readTlsModule();
  expect(
    WebAssembly.Module.imports(module)
      .map(({ name }) => name)
      .sort(),
  ).toEqual(["clock_time_get", "environ_get", "environ_sizes_get", "fd_write", "proc_exit", "random_get"]);
});
