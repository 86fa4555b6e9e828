import { queryLine, statementLine } from "./examples.ts";
import type { Shown } from "./show.ts";

export interface Announced {
  seconds: string;
  gateway: string;
  page: string;
  /** The engine with its version and, for the user's own, its address. */
  database: string;
  /** Roles whose callers may write into the user's own database; empty for the sample. */
  writers: readonly string[];
  tokens: Readonly<Record<string, string>>;
  /** @returns how a command is typed in the project */
  typed: (command: string, options: string) => string;
  /** The path of the file that describes what runs. */
  details: string;
  shown: Shown;
}

/** @returns what `tidegate start` prints when all parts run */
export function announcement(announced: Announced): string {
  const { seconds, gateway, page, database, writers, tokens, typed, details, shown } = announced;
  const { role, query, statement, notes } = shown;
  const token = tokens[role?.name ?? ""] ?? "";
  const bearer = `Authorization: Bearer ${token}`;
  const others = Object.keys(tokens).filter((name) => name !== role?.name);
  const parts = [
    `Tidegate is ready (${seconds} s): ${gateway}
Behind it: ${database}, verified TLS. Details are in ${details}.`,
    writers.length > 0
      ? `Nothing here writes into it, except callers whose grant lets them: ${writers.join(", ")}.`
      : "",
    ...notes,
    role
      ? `A token of the role ${role.name}, valid for 12 hours${others[0] === undefined ? "" : ` (another: ${typed("token", `--role ${others[0]}`)})`}:

${token}`
      : "No grant of [env.development] lets a caller ask anything: add one, and start again.",
    query
      ? `A saved query (queries/${query.name}.sql):

${queryLine(gateway, query, bearer)}`
      : "",
    statement
      ? `A statement of your own:

${statementLine(gateway, statement, bearer)}`
      : "",
    `The documentation of what you may ask, to log in and to try it: ${gateway}/docs
A page that logs in and asks from another origin (examples/browser): ${page}`,
    `A change in queries/ or tidegate.toml is served as soon as its line stands here.
Ctrl-C stops everything.`,
  ];
  return `\n${parts.filter((part) => part !== "").join("\n\n")}\n`;
}
