/**
 * tidegate COMMAND [OPTIONS] runs every command of the project; the npm scripts call it. A command's file
 * is loaded only when needed. So `token` does not load wrangler, and `--help` needs no database.
 */
import { enableCompileCache } from "node:module";
import { join } from "node:path";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { declare, readCommandLine } from "./command/declare.ts";
import { complain } from "./command/errors.ts";
import { packageRoot } from "./project/paths.ts";

/** What the file of a command exports. */
interface CommandModule {
  /** The options and arguments that it takes. */
  declaration: CommandUnknownOpts;
  /**
   * @param options as `declaration` has read them
   * @param words the arguments that are not options
   * @returns the exit code; undefined means 0
   */
  run(options: never, words: string[]): Promise<number | undefined> | number | undefined;
}

interface Entry {
  summary: string;
  load(): Promise<CommandModule>;
}

const commands: Record<string, Entry> = {
  start: {
    summary: "starts a database, an issuer, the gateway and an example page, until Ctrl-C",
    load: () => import("./start.ts"),
  },
  token: { summary: "prints a token of the development issuer", load: () => import("./token.ts") },
  connect: {
    summary: "tries a connection string and writes it into a policy",
    load: () => import("./connect.ts"),
  },
  check: { summary: "says everything that is wrong with an environment", load: () => import("./check.ts") },
  accounts: {
    summary: "says what the database's accounts may do, and what of it is too much",
    load: () => import("./accounts.ts"),
  },
  scaffold: {
    summary: "writes saved queries for a table, to be reviewed",
    load: () => import("./scaffold.ts"),
  },
  import: {
    summary: "turns a TiDB Cloud Data App into saved queries",
    load: () => import("./import.ts"),
  },
  generate: {
    summary: "writes the OpenAPI document and the types of the saved queries",
    load: () => import("./generate.ts"),
  },
  explain: { summary: "says which grant decides for a token", load: () => import("./explain.ts") },
  build: {
    summary: "writes what the Worker bundles; wrangler runs it",
    load: () => {
      // wrangler dev runs it after each change: with compiled code it takes half the time.
      enableCompileCache(join(packageRoot, ".tidegate", "compiled"));
      return import("./build.ts");
    },
  },
  deploy: { summary: "checks an environment, then deploys it", load: () => import("./deploy.ts") },
  drain: {
    summary: "ends a gateway's connections after a change at the database",
    load: () => import("./drain.ts"),
  },
};

/**
 * These commands are for the development of Tidegate itself. Like test/, bench/ and soak/ they are not part
 * of its package.
 */
const developmentCommands: Record<string, Entry> = {
  test: { summary: "runs every test", load: () => import("./dev/test.ts") },
  "test:quick": {
    summary: "runs the unit tests, and the gateway tests that a change can touch",
    load: () => import("./dev/test-quick.ts"),
  },
  golden: { summary: "makes test/golden anew, from real servers", load: () => import("./dev/golden.ts") },
};

const program = declare(
  "tidegate",
  "A serverless HTTP-to-SQL gateway for MySQL, MariaDB and TiDB.",
  "tidegate",
)
  .usage("COMMAND [options]")
  .helpCommand(false)
  .enablePositionalOptions();
add("Commands:", commands);
add("For the development of Tidegate:", developmentCommands);
program.addHelpText("after", "\ntidegate COMMAND --help says which options a command has.");

try {
  await readCommandLine(program, process.argv.slice(2));
} catch (cause) {
  process.exitCode = complain(cause);
}

function add(heading: string, entries: Record<string, Entry>): void {
  program.commandsGroup(heading);
  for (const [name, { summary, load }] of Object.entries(entries)) {
    program
      .command(name)
      .description(summary)
      // The command's own declaration reads the rest of the command line.
      .helpOption(false)
      .passThroughOptions()
      .allowUnknownOption()
      .allowExcessArguments()
      .action(async (_none, { args }) => {
        const { declaration, run } = await load();
        await readCommandLine(declaration, args);
        const status = await run(declaration.opts() as never, declaration.args);
        if (status !== undefined) process.exitCode = status;
      });
  }
}
