/**
 * node cli/dev/build-tls.ts [--check]: compiles native/tls to src/db/links/tls.wasm and records all inputs
 * and the output (native/tls/artifact.sha256). With --check it writes nothing, and the rebuilt artifact
 * must equal the committed one in every byte. CONTRIBUTING.md lists the tools that this needs; `npm start`
 * and `npm test` do not need them.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { declare, readScriptOptions } from "../command/declare.ts";
import { packageRoot } from "../project/paths.ts";

const target = "wasm32-wasip1";
/**
 * The version of the C compiler changes the result. rust-toolchain.toml has the version of the Rust
 * compiler.
 */
const clangVersion = "14.0.6";
const crate = join(packageRoot, "native", "tls");
const artifact = join(packageRoot, "src", "db", "links", "tls.wasm");
const record = join(crate, "artifact.sha256");
/** The sources of the artifact, in the order of the record; paths from the repository's root. */
const sources = [
  "native/tls/Cargo.lock",
  "native/tls/Cargo.toml",
  "native/tls/rust-toolchain.toml",
  "native/tls/src/failure.rs",
  "native/tls/src/lib.rs",
  "cli/dev/build-tls.ts",
];

/**
 * 256 KiB of stack: rustls and ring use a tenth of it. An overflow is a trap, because the stack is at the
 * start of the memory. 16 MiB in all: a connection needs 1 to 2, and a bundle with every CA of a large
 * provider one more. If a server makes an instance grow further, only its own connection ends.
 */
const linkerOptions = ["-zstack-size=262144", "--max-memory=16777216"];

const { check } = await readScriptOptions(
  declare("build-tls", "Compiles native/tls to src/db/links/tls.wasm.", "node cli/dev/build-tls.ts").option(
    "--check",
    "writes nothing: what is made must be what is committed, byte for byte",
    false,
  ),
);
const clang = process.env.CC_wasm32_wasip1 ?? "clang";
const cargoHome = process.env.CARGO_HOME ?? join(homedir(), ".cargo");

const found = /clang version (\S+)/.exec(output(clang, ["--version"]))?.[1]?.replace(/[-+].*/, "");
if (found !== clangVersion) {
  console.error(
    `${clang} is version ${found}, the artifact was made with ${clangVersion}: expect other bytes`,
  );
}
const built = build();
const lines = [
  ...sources.map((path) => line(readFileSync(join(packageRoot, path)), path)),
  line(built, "src/db/links/tls.wasm"),
];
const text = `${lines.join("\n")}\n`;
if (!check) {
  writeFileSync(artifact, built);
  writeFileSync(record, text);
  console.log(`wrote ${built.length} bytes\n${text.trimEnd()}`);
} else if (built.equals(readFileSync(artifact)) && text === readFileSync(record, "utf8")) {
  console.log(`the same, byte for byte: ${lines.at(-1)}`);
} else {
  console.error(`not what is committed. Rebuilt:\n${text}Committed:\n${readFileSync(record, "utf8")}`);
  process.exitCode = 1;
}

/** Compiles a copy in a new directory, so that nothing of an earlier build is used. */
function build(): Buffer {
  const directory = mkdtempSync(join(tmpdir(), "tidegate-tls-"));
  try {
    cpSync(crate, join(directory, "crate"), { recursive: true, filter: (path) => !path.endsWith("/target") });
    cargo(directory, ["fetch", "--locked", "--target", target], {});
    cargo(directory, ["build", "--locked", "--release", "--target", target], compilerOptions(directory));
    return readFileSync(join(directory, "target", target, "release", "tidegate_tls.wasm"));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * Messages in the artifact contain paths. They are replaced, so that the directory of a build does not
 * change its result.
 */
function compilerOptions(directory: string): Record<string, string> {
  const registry = join(cargoHome, "registry", "src");
  const places = (existsSync(registry) ? readdirSync(registry) : []).map((name) => join(registry, name));
  const maps = [[join(directory, "crate"), "/tls"], ...places.map((place) => [place, "/crates"])];
  const rust = [
    ...maps.map(([from, to]) => `--remap-path-prefix=${from}=${to}`),
    ...linkerOptions.map((option) => `-Clink-arg=${option}`),
  ];
  return {
    // This variable replaces all flags from the machine's own settings.
    CARGO_ENCODED_RUSTFLAGS: rust.join("\x1f"),
    CC_wasm32_wasip1: clang,
    AR_wasm32_wasip1: process.env.AR_wasm32_wasip1 ?? "llvm-ar",
    CFLAGS_wasm32_wasip1: maps.map(([from, to]) => `-ffile-prefix-map=${from}=${to}`).join(" "),
  };
}

function cargo(directory: string, args: string[], environment: Record<string, string>): void {
  const target = join(directory, "target");
  mkdirSync(target, { recursive: true });
  const { status, error } = spawnSync("cargo", args, {
    cwd: join(directory, "crate"),
    env: { ...process.env, CARGO_HOME: cargoHome, CARGO_TARGET_DIR: target, ...environment },
    stdio: "inherit",
  });
  if (status !== 0) throw new Error(`cargo ${args[0]} failed: ${error?.message ?? `exit code ${status}`}`);
}

function output(command: string, args: string[]): string {
  const { stdout, error } = spawnSync(command, args, { encoding: "utf8" });
  if (error) throw new Error(`${command}: ${error.message}; CONTRIBUTING.md says what a rebuild needs`);
  return stdout;
}

/** The format of sha256sum. */
function line(bytes: Buffer, path: string): string {
  return `${createHash("sha256").update(bytes).digest("hex")}  ${path}`;
}
