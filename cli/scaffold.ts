import { join } from "node:path";
import { mistakeText } from "../src/catalog/errors.ts";
import { parsePolicy } from "../src/config/policy.ts";
import { printable } from "../src/sql/errors.ts";
import { accountsOf, readLink } from "./accounts/environment.ts";
import type { OptionsOf } from "./command/declare.ts";
import { declare, textLike } from "./command/declare.ts";
import { operatorText, Stop } from "./command/errors.ts";
import { currentPolicy } from "./project/development.ts";
import { environmentOption } from "./project/environment-option.ts";
import { projectRoot, typed } from "./project/paths.ts";
import type { Told } from "./scaffold/ask.ts";
import { askTable } from "./scaffold/ask.ts";
import { collationWarning, ownerForm, ownerOf, readOwner } from "./scaffold/owner.ts";
import type { Scaffold } from "./scaffold/table-files.ts";
import { filesOf } from "./scaffold/table-files.ts";
import { mistakesOf, writeQueries } from "./scaffold/write.ts";

export const declaration = declare(
  "scaffold",
  "Writes saved queries for a table, to be reviewed: list, get, create, update, delete. It logs in as the gateway does and reads the columns; it changes nothing at the database. Exit code 1: nothing was written; 2: it could not be tried.",
)
  .requiredOption("--table <NAME>", "the table or view: NAME, or DATABASE.NAME", textLike(/\S/, "a name"))
  .option(
    "--owner <COLUMN=jwt.CLAIM>",
    "callers see and change only the rows whose COLUMN is their token's claim; jwt.CLAIM alone looks for the column",
    textLike(ownerForm, '"COLUMN=jwt.CLAIM", such as "author=jwt.sub", or jwt.CLAIM'),
  )
  .addOption(environmentOption("the environment whose database it is").default("development"))
  .option(
    "--account <NAME>",
    "the account that looks; default: the first one of the policy that sees the table",
  )
  .option("--ca <FILE>", "PEM of the CAs to trust; without it those of npm start, else Node's")
  .option("--force", "writes over files that are there already", false);

type Options = OptionsOf<typeof declaration>;

export async function run(options: Options): Promise<number> {
  const { table, owner: asked, env, force } = options;
  const { found, others, reserved, account } = await look(options);
  if (found === undefined) {
    const known = others.length === 0 ? "no table there" : printable(others.slice(0, 20).join(", "));
    throw new Stop(`There is no table ${table} that ${account} sees. It sees: ${known}.`);
  }
  const owner = asked === undefined ? undefined : ownerOf(found.table, readOwner(asked));
  const scaffold = filesOf({ ...found, owner, reserved });
  const mistakes = scaffold.files.flatMap(mistakesOf);
  if (mistakes.length > 0)
    throw new Stop(
      `Nothing was written. The files would have mistakes:\n${mistakes.map(mistakeText).join("\n")}`,
    );
  writeQueries(join(projectRoot(), "queries"), scaffold.files, force);
  const warning = owner && collationWarning(owner);
  if (owner !== undefined)
    console.log(printable(`The owner is ${owner.column.name}, compared with :jwt.${owner.claim}.`));
  if (warning !== undefined) console.error(`WARNING: ${warning}`);
  // Names come from the database.
  console.log(summary(scaffold, account, env).map(printable).join("\n"));
  return 0;
}

/**
 * Reads the policy without its grants: those may name the queries that are about to be written.
 * @throws Stop if no login is possible
 */
async function look({ env, ca, account: only, table }: Options): Promise<Told & { account: string }> {
  try {
    const policy = parsePolicy({ ...currentPolicy(env), grants: [] }, env, []);
    const names = Object.keys(policy.accounts);
    if (only !== undefined && !names.includes(only))
      throw new Stop(
        `--account: there is no ${only} in tidegate.toml, [env.${env}]; there are: ${names.join(", ")}.`,
        2,
      );
    const { link } = readLink(env, policy, ca);
    const isWanted = (name: string) => only === undefined || name === only;
    let told: (Told & { account: string }) | undefined;
    for (const own of await accountsOf({ name: env, policy, queries: [] }, isWanted)) {
      // Whether an account may have rights to write follows from the grants, so it is not judged here.
      const account = { ...own, readsByPrivilege: false };
      const answer = { ...(await askTable(link, policy.cluster, account, table)), account: account.name };
      if (answer.found !== undefined) return answer;
      told ??= answer;
    }
    if (told === undefined) throw new Error(`tidegate.toml, [env.${env}] has no account`);
    return told;
  } catch (cause) {
    throw cause instanceof Stop ? cause : new Stop(operatorText(cause), 2);
  }
}

function summary({ files, notes, tag }: Scaffold, account: string, env: string): string[] {
  return [
    ...files.map(({ name }) => `written: queries/${name}`),
    ...notes,
    "",
    `As ${account} sees it. Next:`,
    "  1. review the files: bounds, what a caller may change, the order of the list",
    `  2. add "query:#${tag}" to allow of a grant in tidegate.toml, [env.${env}]`,
    `  3. ${typed("check", `--env ${env} --database`)}`,
  ];
}
