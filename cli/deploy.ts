/** npm run deploy -- --env NAME [wrangler's options]: checks the environment, then deploys it. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { root } from "./project/application.ts";
import { checkEnvironment, environments } from "./project/environment.ts";

const { values } = parseArgs({ options: { env: { type: "string" } }, strict: false });
const name = values.env;

if (typeof name !== "string") {
  console.error(`Which environment? npm run deploy -- --env ${environments.join(" | ")}`);
  process.exit(2);
}
const mistakes = checkEnvironment(name);
if (mistakes.length > 0) {
  console.error(
    `Not deployed: ${name} has ${mistakes.length} mistake(s)\n${mistakes.map((line) => `- ${line}`).join("\n")}`,
  );
  process.exit(1);
}
const wrangler = join(root, "node_modules", ".bin", "wrangler");
const { status } = spawnSync(wrangler, ["deploy", ...process.argv.slice(2)], { cwd: root, stdio: "inherit" });
process.exitCode = status ?? 1;
