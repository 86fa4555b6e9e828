/**
 * Makes dist/, the JavaScript of the npm package: Node takes no TypeScript below node_modules. `npm pack` runs this
 * before it packs the files that package.json names.
 */
import { execFileSync } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { packageProgram, packageRoot } from "../project/paths.ts";

/** Files beside the modules that read them, which TypeScript does not copy. */
const besides = ["src/db/links/tls.wasm", "servers/database/tidb/go.mod", "servers/database/tidb/go.sum"];

const dist = join(packageRoot, "dist");
rmSync(dist, { recursive: true, force: true });
for (const project of ["tsconfig.package.json", "tsconfig.client.json"]) {
  execFileSync(process.execPath, [packageProgram("typescript", "tsc"), "-p", join(packageRoot, project)], {
    stdio: "inherit",
  });
}
for (const path of besides) cpSync(join(packageRoot, path), join(dist, path));
