/**
 * npm run golden: makes test/golden/*.json anew, from a real MySQL, MariaDB and TiDB through the gateway. A file is
 * written only if every answer is what the server itself says.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { engines } from "../../servers/database/engines.ts";
import { root } from "../project/application.ts";
import { wranglerVariables } from "../project/wrangler.ts";

for (const engine of engines) {
  const { status } = spawnSync(
    join(root, "node_modules", ".bin", "vitest"),
    ["run", "--project", engine, "test/gateway/values/golden.test.ts"],
    { cwd: root, stdio: "inherit", env: { ...process.env, ...wranglerVariables, TIDEGATE_GOLDEN: "write" } },
  );
  if (status !== 0) process.exitCode = 1;
}
