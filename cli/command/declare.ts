import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { Command, CommanderError, InvalidArgumentError } from "@commander-js/extra-typings";
import { complain, Stop } from "./errors.ts";

/** The declaration of each command's options, and how they are read. */

/** The argument of a command's `run`: the values of its declared options. */
export type OptionsOf<Declaration extends { opts(): unknown }> = ReturnType<Declaration["opts"]>;

/**
 * @param name the command's name, which is also that of its npm script
 * @param description what it does, for --help
 * @param typed how users type it
 * @returns a command without options. It refuses unknown options, missing values and surplus arguments.
 */
export function declare(name: string, description: string, typed = typedAs(name)): Command {
  return (
    new Command(typed)
      .description(description)
      .helpOption("--help", "shows this")
      .exitOverride()
      // `readCommandLine` prints the error: commander would repeat the typed text, and that may contain a
      // password.
      .configureOutput({ outputError: () => {} })
  );
}

/** @returns how the user typed the command, or should type it */
function typedAs(name: string): string {
  // `npm run X` puts its script's name into this variable. A test that starts a command runs in another
  // script.
  return process.env.npm_lifecycle_event === name ? `npm run ${name} --` : `tidegate ${name}`;
}

/**
 * Parses the words after the command's name. Afterwards `declaration.opts()` has the values.
 * @throws Stop that names the mistake and the remedy; without a message after --help was printed
 */
export async function readCommandLine(declaration: CommandUnknownOpts, words: string[]): Promise<void> {
  try {
    await declaration.parseAsync(words, { from: "user" });
    refuseOptionsAsValues(declaration);
  } catch (cause) {
    if (!(cause instanceof CommanderError)) throw cause;
    if (cause.exitCode === 0) throw new Stop("", 0);
    // Without a command, commander printed the help.
    if (cause.code === "commander.help") throw new Stop("", 2);
    throw new Stop(`${mistakeOf(cause)}\n${declaration.name()} --help says what there is.`, 2);
  }
}

/** commander takes the word after an option as its value, even if that word is the next option. */
function refuseOptionsAsValues(declaration: CommandUnknownOpts): void {
  const names = new Set(declaration.options.map(({ long }) => long));
  for (const option of declaration.options) {
    if (names.has(declaration.getOptionValue(option.attributeName()) as string))
      declaration.error(`option '${option.flags}' argument missing`);
  }
}

/**
 * Reads the options of a script that is not a command of tidegate: a bench, or the soak. Ends the process
 * after a mistake.
 */
export async function readScriptOptions<Declaration extends CommandUnknownOpts>(
  declaration: Declaration,
): Promise<OptionsOf<Declaration>> {
  await readCommandLine(declaration, process.argv.slice(2)).catch((cause) => process.exit(complain(cause)));
  return declaration.opts() as OptionsOf<Declaration>;
}

/** @returns commander's sentence, without the parts that may be a secret */
function mistakeOf({ code, message }: CommanderError): string {
  const text = message.replace(/^error: /, "").replaceAll("\n", " ");
  const sentence = text.charAt(0).toUpperCase() + text.slice(1);
  switch (code) {
    case "commander.excessArguments":
      return "There are too many arguments: one that has spaces or signs of the shell goes into quotation marks.";
    case "commander.unknownOption":
      // --option=VALUE, and -oVALUE.
      return sentence.replace(/(?<=')(--[^=']*=|-[^-]).*(?=')/, (_, [...start]: string) =>
        start.join("").replace(/=$/, ""),
      );
    case "commander.unknownCommand":
      return /'[a-z-]{1,20}'/.test(sentence) ? sentence : "There is no such command.";
    default:
      return sentence;
  }
}

/** @returns a reader of an option's value: a whole number between these bounds, both included */
export function wholeNumber(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= low && value <= high) return value;
    throw new InvalidArgumentError(`It takes a whole number from ${low} to ${high}.`);
  };
}

/** Reads the value of an option that is a TCP port. */
export const port = wholeNumber(1, 65_535);

/** @returns a reader of an option's value: a text that matches `form` */
export function textLike(form: RegExp, words: string): (text: string) => string {
  return (text) => {
    if (form.test(text)) return text;
    throw new InvalidArgumentError(`It takes ${words}.`);
  };
}
