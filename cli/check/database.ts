import type { QueryFile, SavedQuery } from "../../src/catalog/parse.ts";
import type { ResultColumn } from "../../src/catalog/saved-query.ts";
import type { Account } from "../../src/config/config.ts";
import type { Policy } from "../../src/config/schema.ts";
import type { Link } from "../../src/db/links/link.ts";
import { dialectOf } from "../../src/db/mysql/engines/dialect-of.ts";
import { useOf } from "../accounts/needs.ts";
import { operatorText } from "../command/errors.ts";
import type { Finding } from "./finding.ts";
import { headOf, merged } from "./finding.ts";
import type { Told } from "./locked.ts";
import type { Answer } from "./prepare.ts";
import { prepareAll } from "./prepare.ts";
import { typeWarnings } from "./type-warnings.ts";

/** Checks saved queries at the database: prepares each query with each account that may run it by a grant. */

/** Lines to print. */
export interface Checked {
  mistakes: string[];
  warnings: string[];
  /** Accounts whose login was not possible. */
  untried: string[];
  /** Lines about what was checked. */
  notes: string[];
  /** For queries.lock; undefined if no account could log in. */
  told: Told | undefined;
}

export interface Subject {
  link: Link;
  policy: Pick<Policy, "cluster" | "grants">;
  /** At least the accounts that may run one of the queries by a grant. */
  accounts: readonly Account[];
  files: readonly QueryFile[];
  queries: readonly SavedQuery[];
}

/** @returns whether a grant lets the account run any saved query, or this one */
export function mayRun(grants: Policy["grants"], account: string, query?: SavedQuery): boolean {
  const { permissions } = useOf(account, grants, []);
  if (query === undefined) return permissions.some((permission) => permission.startsWith("query:"));
  return permissions.includes("query:*") || permissions.includes(`query:${query.name}`);
}

/** @returns the mistakes in the queries, by the server's answers */
export async function checkQueries({ link, policy, accounts, files, queries }: Subject): Promise<Checked> {
  const { cluster, grants } = policy;
  const { derivesTypes } = dialectOf(cluster);
  const fileOf = ({ name }: SavedQuery) => files.find((file) => file.name === `${name}.sql`) as QueryFile;
  const mistakes: { finding: Finding; account: string }[] = [];
  const warnings: { finding: Finding; account?: string }[] = [];
  const untried: string[] = [];
  const notes: string[] = [];
  const columns = new Map<string, readonly ResultColumn[] | null>();
  let server: Told["server"] | undefined;
  const take = (account: string, answer: Answer) => {
    const file = fileOf(answer.query);
    const at = (message: string) => ({ file: file.name, line: headOf(file).end, message });
    if (answer.said === "no") mistakes.push({ finding: at(answer.reason), account });
    else if (answer.said === "nothing") {
      warnings.push({ finding: at(`not tried: ${answer.reason}`) });
    } else columns.set(answer.query.name, answer.columns);
    if (answer.said === "types" && derivesTypes) {
      for (const finding of typeWarnings(file, answer.query, answer.kinds)) warnings.push({ finding });
    }
  };
  for (const query of queries) {
    if (accounts.some(({ name }) => mayRun(grants, name, query))) continue;
    const file = fileOf(query);
    const message = "not tried: no grant lets an account run it";
    warnings.push({ finding: { file: file.name, line: headOf(file).end, message } });
  }
  for (const account of accounts) {
    const own = queries.filter((query) => mayRun(grants, account.name, query));
    if (own.length === 0) continue;
    try {
      const version = await prepareAll(link, cluster, account, own, (answer) => take(account.name, answer));
      server = { engine: cluster.engine, version };
      notes.push(`${own.length} saved queries as ${account.name}, ${cluster.engine} ${version}`);
    } catch (cause) {
      untried.push(`${account.name}: ${operatorText(cause)}`);
    }
  }
  if (!derivesTypes) {
    notes.push(`${cluster.engine} does not say the types of parameters: only what it refuses was looked for`);
  }
  const told = server && { server, columns };
  return { mistakes: merged(mistakes), warnings: merged(warnings), untried, notes, told };
}
