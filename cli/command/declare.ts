import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { Command, CommanderError, InvalidArgumentError } from "@commander-js/extra-typings";
import { complain, Stop } from "./errors.ts";

/** How every command says which options it has, and how they are read. */

/** What a command's `run` is given: the values of the options that it declares. */
export type OptionsOf<Declaration extends { opts(): unknown }> = ReturnType<Declaration["opts"]>;

/**
 * @param name the command's name, which is that of its npm script too
 * @param description what it does, for --help
 * @param typed how it is typed
 * @returns a command without options: unknown ones, missing values and surplus arguments are refused
 */
export function declare(name: string, description: string, typed = typedAs(name)): Command {
  return (
    new Command(typed)
      .description(description)
      .helpOption("--help", "shows this")
      .exitOverride()
      // `readCommandLine` says it: commander would repeat what was typed, and a password may stand there.
      .configureOutput({ outputError: () => {} })
  );
}

/** @returns how the command was typed, or is to be typed again */
function typedAs(name: string): string {
  // `npm run X` names its script here; a test that starts a command runs in another one.
  return process.env.npm_lifecycle_event === name ? `npm run ${name} --` : `tidegate ${name}`;
}

/**
 * Reads what was typed behind the command's name. Afterwards `declaration.opts()` has the values.
 * @throws Stop that names the mistake and the remedy; without a message when --help was asked for and is printed
 */
export async function readCommandLine(declaration: CommandUnknownOpts, words: string[]): Promise<void> {
  try {
    await declaration.parseAsync(words, { from: "user" });
    refuseOptionsAsValues(declaration);
  } catch (cause) {
    if (!(cause instanceof CommanderError)) throw cause;
    if (cause.exitCode === 0) throw new Stop("", 0);
    // Without any command the help was printed instead.
    if (cause.code === "commander.help") throw new Stop("", 2);
    throw new Stop(`${mistakeOf(cause)}\n${declaration.name()} --help says what there is.`, 2);
  }
}

/** commander takes what follows an option as its value, even where it is the next option. */
function refuseOptionsAsValues(declaration: CommandUnknownOpts): void {
  const names = new Set(declaration.options.map(({ long }) => long));
  for (const option of declaration.options) {
    if (names.has(declaration.getOptionValue(option.attributeName()) as string))
      declaration.error(`option '${option.flags}' argument missing`);
  }
}

/** Reads the options of a script that is no command of tidegate: a bench, or the soak. Ends the process at a mistake. */
export async function readScriptOptions<Declaration extends CommandUnknownOpts>(
  declaration: Declaration,
): Promise<OptionsOf<Declaration>> {
  await readCommandLine(declaration, process.argv.slice(2)).catch((cause) => process.exit(complain(cause)));
  return declaration.opts() as OptionsOf<Declaration>;
}

/** @returns commander's sentence, without what may be a secret */
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

/** @returns a reader of an option's value: a text of this form */
export function textLike(form: RegExp, words: string): (text: string) => string {
  return (text) => {
    if (form.test(text)) return text;
    throw new InvalidArgumentError(`It takes ${words}.`);
  };
}
