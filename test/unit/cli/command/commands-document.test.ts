import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { expect, test } from "vitest";
import { packageRoot } from "../../../../cli/project/paths.ts";

/**
 * docs/reference/commands.md has what each command declares. Its sections are written by this test:
 * TIDEGATE_COMMANDS=write npx vitest run --project unit test/unit/cli/command/commands-document.test.ts
 */

const path = join(packageRoot, "docs/reference/commands.md");

type Option = CommandUnknownOpts["options"][number];

function defaultOf({ defaultValue, defaultValueDescription }: Option): string {
  if (defaultValueDescription !== undefined) return ` Default: ${defaultValueDescription}.`;
  if (typeof defaultValue !== "string" && typeof defaultValue !== "number") return "";
  return ` Default: \`${defaultValue}\`.`;
}

function optionRow(option: Option): string {
  const { flags, description, mandatory, envVar } = option;
  const variable = envVar === undefined ? "" : ` The variable \`${envVar}\` may have it.`;
  return `| \`${flags}\`${mandatory ? ", required" : ""} | ${sentence(description)}${defaultOf(option)}${variable} |`;
}

/** @returns the text as a cell of a table: it begins with a capital letter, unless that would change a name, and ends with a full stop */
function sentence(text: string): string {
  const first = /^[a-z]+( |,)/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
  return `${first.replaceAll("|", "\\|").replace(/\.$/, "")}.`;
}

async function section(name: string): Promise<string> {
  const { declaration }: { declaration: CommandUnknownOpts } = await import(
    join(packageRoot, "cli", `${name}.ts`)
  );
  const rows = [
    ...declaration.registeredArguments.map((argument) => {
      const [open, close] = argument.required ? "<>" : "[]";
      const dots = argument.variadic ? "..." : "";
      return `| \`${open}${argument.name()}${dots}${close}\` | ${sentence(argument.description || "more words")} |`;
    }),
    ...declaration.options.filter(({ hidden }) => !hidden).map(optionRow),
  ];
  const table = rows.length === 0 ? "" : `\n| option | |\n|---|---|\n${rows.join("\n")}\n`;
  return `## tidegate ${name}\n\n${declaration.description()}\n${table}`;
}

test("docs/reference/commands.md has every command, with its arguments and options as --help has them", async () => {
  const names = readdirSync(join(packageRoot, "cli"))
    .filter((file) => file.endsWith(".ts") && file !== "tidegate.ts")
    .map((file) => file.slice(0, -".ts".length))
    .sort();
  const document = readFileSync(path, "utf8");
  const [introduction = ""] = document.split("\n## tidegate ");
  const sections = await Promise.all(names.map(section));
  const wanted = `${introduction}\n${sections.join("\n")}`;
  if (process.env.TIDEGATE_COMMANDS === "write") writeFileSync(path, wanted);
  else expect(document).toBe(wanted);
});
