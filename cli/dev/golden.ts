import { spawnSync } from "node:child_process";
import { engines } from "../../servers/database/engines.ts";
import { declare } from "../command/declare.ts";
import { packageProgram, packageRoot } from "../project/paths.ts";
import { wranglerVariables } from "../project/wrangler.ts";

export const declaration = declare(
  "golden",
  "Makes test/golden/*.json anew, from a real MySQL, MariaDB and TiDB through the gateway. A file is written only if every answer is what the server itself says.",
);

export function run(): number {
  let code = 0;
  for (const engine of engines) {
    const { status } = spawnSync(
      packageProgram("vitest"),
      ["run", "--project", engine, "test/gateway/values/golden.test.ts"],
      {
        cwd: packageRoot,
        stdio: "inherit",
        env: { ...process.env, ...wranglerVariables(), TIDEGATE_GOLDEN: "write" },
      },
    );
    if (status !== 0) code = 1;
  }
  return code;
}
