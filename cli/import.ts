import { existsSync, readFileSync, realpathSync } from "node:fs";
import { join, sep } from "node:path";
import { printable } from "../src/sql/errors.ts";
import type { OptionsOf } from "./command/declare.ts";
import { declare, textLike } from "./command/declare.ts";
import { Stop } from "./command/errors.ts";
import type { DataApp } from "./import/data-app.ts";
import { files, readDataApp } from "./import/data-app.ts";
import { importApp } from "./import/import-app.ts";
import { currentPolicy } from "./project/development.ts";
import { environmentOption } from "./project/environment-option.ts";
import { projectRoot, typed } from "./project/paths.ts";
import { writeQueries } from "./scaffold/write.ts";

export const declaration = declare(
  "import",
  "Turns the folder of a TiDB Cloud Data App into saved queries, to be reviewed, and says what differs. Exit code 1: something was not carried over; 2: the Data App could not be read.",
)
  .argument("<DIRECTORY>", "the Data App's folder, which has dataapp_config.json and http_endpoints/")
  .addOption(
    environmentOption("the environment whose database a USE is compared with").default("development"),
  )
  .option(
    "--cluster <ID>",
    "carries over the endpoints of this cluster; default: of the Data App's first one",
    textLike(/^\d+$/, "the digits of a cluster's id"),
  )
  .option("--force", "writes over files that are there already", false);

export async function run(
  { env, cluster, force }: OptionsOf<typeof declaration>,
  [directory = ""]: string[],
): Promise<number> {
  const app = readApp(directory);
  const { cluster: own } = currentPolicy(env) as { cluster?: { database?: string } };
  const read = (path: string) => textOf(directory, path);
  const imported = importApp(app, { database: own?.database ?? "", cluster, read });
  if (imported.files.length > 0) writeQueries(join(projectRoot(), "queries"), imported.files, force);
  // The Data App may be of an unknown hand: its texts must not write lines of their own, or move the cursor.
  console.log(imported.report.map(printable).join("\n"));
  console.log(
    [
      "",
      "Next:",
      "  1. review the files: a Data App's API key reads every row; :jwt.sub makes them the caller's own",
      `  2. allow them in a grant of tidegate.toml, [env.${env}]: "query:NAME", or "query:#TAG"`,
      `  3. ${typed("check", `--env ${env} --database`)}`,
    ].join("\n"),
  );
  return imported.complete ? 0 : 1;
}

function readApp(directory: string): DataApp {
  const [app, clusters, endpoints] = [files.app, files.clusters, files.endpoints].map((path) =>
    textOf(directory, path),
  );
  if (endpoints === undefined)
    throw new Stop(`${directory} is no Data App: it has no ${files.endpoints}.`, 2);
  try {
    return readDataApp({
      ...(app !== undefined && { app }),
      ...(clusters !== undefined && { clusters }),
      endpoints,
    });
  } catch (cause) {
    throw new Stop(printable((cause as Error).message), 2);
  }
}

/** @returns undefined also for a file outside of the Data App */
function textOf(directory: string, path: string): string | undefined {
  const file = join(directory, path);
  if (!existsSync(file)) return undefined;
  if (!realpathSync(file).startsWith(realpathSync(directory) + sep)) return undefined;
  return readFileSync(file, "utf8");
}
