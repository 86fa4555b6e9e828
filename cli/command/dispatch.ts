import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { declare, readCommandLine } from "./declare.ts";
import { complain } from "./errors.ts";

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

/** A command, whose file is loaded only when needed: `token` does not load wrangler, and `--help` loads none. */
export interface Entry {
  summary: string;
  load(): Promise<CommandModule>;
}

/** A program of several commands, as its --help and --version tell of it. */
export interface Program {
  name: string;
  description: string;
  version: string;
}

/**
 * Runs the command that the command line names, and sets the exit code.
 * @param commands by their names
 */
export async function dispatch(
  { name, description, version }: Program,
  commands: Record<string, Entry>,
): Promise<void> {
  const program = declare(name, description, name)
    .version(version, "--version", "prints the version")
    .usage("COMMAND [options]")
    .helpCommand(false)
    .enablePositionalOptions()
    .addHelpText("after", `\n${name} COMMAND --help says which options a command has.`);
  for (const [command, entry] of Object.entries(commands)) add(program, command, entry);
  try {
    await readCommandLine(program, process.argv.slice(2));
  } catch (cause) {
    process.exitCode = complain(cause);
  }
}

function add(program: ReturnType<typeof declare>, name: string, { summary, load }: Entry): void {
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
