import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, inject, test } from "vitest";
import { plainEnvironment, type } from "./run.ts";

const { unpacked } = inject("packed");

/** "20.20.2": the Node of the machine, not that of this repository's packages. */
const version = spawnSync("node", ["--version"], { env: plainEnvironment(), encoding: "utf8" }).stdout.slice(
  1,
);
const [major = 0] = version.split(".").map(Number);

// In this folder nothing is installed, also no Node. A newer one of the machine's own needs none.
test.skipIf(major >= 22)(
  "an old Node, and none beside the package: one line says what to install",
  async () => {
    const { status, stdout, stderr } = await type(
      "node",
      [join(unpacked, "bin/tidegate.js"), "start"],
      unpacked,
    );
    expect([status, stdout, stderr.split("\n")]).toEqual([
      2,
      "",
      [expect.stringContaining(`needs Node 22.12 or newer, and this is ${version.trim()}: install it`), ""],
    ]);
  },
);
