import type { QueryFile, SavedQuery } from "../../src/catalog/parse.ts";
import type { ResultColumn } from "../../src/catalog/saved-query.ts";
import type { Account } from "../../src/config/config.ts";
import { opensQuery } from "../../src/config/permissions.ts";
import type { Policy } from "../../src/config/schema.ts";
import type { Link } from "../../src/db/links/link.ts";
import { readGrants } from "../accounts/grants.ts";
import { lacksOf } from "../accounts/lacks.ts";
import { useOf } from "../accounts/needs.ts";
import { quote } from "../accounts/report.ts";
import { operatorText } from "../command/errors.ts";
import type { Finding } from "./finding.ts";
import { merged, placeOfName, placeOfStatement, placeOfTag } from "./finding.ts";
import type { Told } from "./locked.ts";
import type { Answer, Plan } from "./prepare.ts";
import { prepareAll } from "./prepare.ts";
import { resultMistakes } from "./result.ts";
import { typeWarnings } from "./type-warnings.ts";

/**
 * Checks saved queries at the database: prepares each query with each account that may run it by a grant. Asks each
 * account's rights too.
 */

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
  /** At least the accounts that may run something by a grant. */
  accounts: readonly Account[];
  files: readonly QueryFile[];
  /** A full scan of more rows is a warning. */
  scanRows: number;
  queries: readonly SavedQuery[];
}

/** @returns whether a grant lets the account run this saved query */
export function mayRun(grants: Policy["grants"], account: string, { name }: SavedQuery): boolean {
  const { permissions } = useOf(account, grants, []);
  return permissions.some((permission) => opensQuery(permission, name));
}

/** @returns whether a grant lets the account run anything */
export function isUsed(grants: Policy["grants"], account: string): boolean {
  return useOf(account, grants, []).permissions.some((permission) => /^(?:query|sql):/.test(permission));
}

/** @returns the mistakes in the queries and in the accounts' rights, by the server's answers */
export async function checkQueries(subject: Subject): Promise<Checked> {
  const { link, policy, accounts, files, queries, scanRows } = subject;
  const { cluster, grants } = policy;
  const fileOf = ({ name }: SavedQuery) => files.find((file) => file.name === `${name}.sql`) as QueryFile;
  const mistakes: { finding: Finding; account?: string }[] = [];
  const warnings: { finding: Finding; account?: string }[] = [];
  const rights: string[] = [];
  const untried: string[] = [];
  const notes: string[] = [];
  const columns = new Map<string, readonly ResultColumn[] | null>();
  let server: Told["server"] | undefined;
  const take = (account: string, answer: Answer) => {
    const { query } = answer;
    const file = fileOf(query);
    const at = (message: string, place = placeOfStatement(file)) => ({ file: file.name, ...place, message });
    if (answer.said === "no") {
      mistakes.push({ finding: at(answer.reason, placeOfName(file, answer.reason)), account });
      return;
    }
    if (answer.said === "nothing") {
      warnings.push({ finding: at(`not tried: ${answer.reason}`) });
      return;
    }
    for (const finding of typeWarnings(file, query, answer.kinds)) warnings.push({ finding });
    // What follows is the same for each account.
    if (columns.has(query.name)) return;
    columns.set(query.name, answer.columns);
    for (const { tag, message } of answer.columns ? resultMistakes(query, answer.columns) : []) {
      mistakes.push({ finding: at(message, placeOfTag(file, tag)) });
    }
    for (const message of planWarnings(answer.plan, scanRows)) warnings.push({ finding: at(message) });
  };
  for (const query of queries) {
    if (accounts.some(({ name }) => mayRun(grants, name, query))) continue;
    const file = fileOf(query);
    const message = "not tried: no grant lets an account run it";
    warnings.push({ finding: { file: file.name, ...placeOfStatement(file), message } });
  }
  for (const account of accounts) {
    const own = queries.filter((query) => mayRun(grants, account.name, query));
    if (own.length === 0 && !isUsed(grants, account.name)) continue;
    try {
      const said = await prepareAll(link, cluster, account, own, (answer) => take(account.name, answer));
      const { version } = said;
      server = { engine: cluster.engine, version };
      if (own.length > 0)
        notes.push(`${own.length} saved queries as ${account.name}, ${cluster.engine} ${version}`);
      // Of saved queries, PREPARE has told it.
      const lacks = lacksOf({
        ...{ permissions: useOf(account.name, grants, []).permissions, queries: [] },
        ...{ rights: readGrants(said.grants), identity: quote(said.identity), database: cluster.database },
      });
      rights.push(...lacks.map(({ what, fix }) => `${account.name}: ${what}. Mend it with: ${fix}`));
    } catch (cause) {
      untried.push(`${account.name}: ${operatorText(cause)}`);
    }
  }
  const told = server && { server, columns };
  return { mistakes: [...merged(mistakes), ...rights], warnings: merged(warnings), untried, notes, told };
}

/** @returns the full scans of more rows, and plans that are not known */
function planWarnings(plan: Plan, scanRows: number): string[] {
  if ("unknown" in plan) return [`its plan is not known: ${plan.unknown}`];
  const large = plan.scans.filter(({ rows }) => rows > scanRows);
  const texts = large.map(
    ({ table, rows, reason }) =>
      `it reads the whole table ${table}, about ${Math.round(rows).toLocaleString("en-US")} rows: ${reason}`,
  );
  return [...new Set(texts)];
}
