import type { Outcome } from "./outcome.ts";

/** A transfer that a caller wants. */
export interface Transfer {
  /** Chosen by the caller. The ledger has each id at most once. */
  id: string;
  source: number;
  target: number;
  amount: number;
}

/** A caller's knowledge about a transfer at the end. */
export interface TransferRecord extends Transfer {
  outcome: Outcome;
  /** The number of the attempt with this `outcome`. All earlier attempts were refused for certain. */
  attempt: number;
  /** The caller looked for the transfer later and found it. */
  seen: boolean;
}

/** The ledger's tables: balances by account, and every transfer with the number of its attempt. */
export interface Tables {
  balances: ReadonlyMap<number, number>;
  transfers: readonly (Transfer & { attempt: number })[];
}

export type LedgerRule =
  | "sum unchanged"
  | "acknowledged is there"
  | "refused is absent"
  | "seen stays"
  | "there once"
  | "there as sent"
  | "somebody's"
  | "balances follow";

export interface Violation<Rule extends string = string> {
  rule: Rule;
  detail: string;
}

/**
 * Compares the callers' knowledge with the ledger.
 * @param opening the balances before the first transfer
 * @returns all violations
 */
export function audit(
  opening: Tables["balances"],
  records: readonly TransferRecord[],
  tables: Tables,
): Violation<LedgerRule>[] {
  const rows = Map.groupBy(tables.transfers, ({ id }) => id);
  const known = new Set(records.map(({ id }) => id));
  return [
    ...sums(opening, tables),
    ...records.flatMap((record) => judgeRecord(record, rows.get(record.id) ?? [])),
    ...[...rows.keys()]
      .filter((id) => !known.has(id))
      .map((id) => violation("somebody's", `${id}: no caller has sent it`)),
    ...balances(opening, tables),
  ];
}

function judgeRecord(record: TransferRecord, rows: Tables["transfers"]): Violation<LedgerRule>[] {
  const { id, outcome, seen } = record;
  const found: Violation<LedgerRule>[] = [];
  if (outcome === "acknowledged" && rows.length === 0) {
    found.push(violation("acknowledged is there", `${id}: acknowledged and not there`));
  }
  if (outcome === "refused" && rows.length > 0) {
    found.push(violation("refused is absent", `${id}: refused for certain, and there`));
  }
  if (seen && rows.length === 0) found.push(violation("seen stays", `${id}: seen, and gone again`));
  if (rows.length > 1) found.push(violation("there once", `${id}: ${outcome}, there ${rows.length} times`));
  for (const row of outcome === "refused" ? [] : rows) {
    const parts = (["source", "target", "amount", "attempt"] as const).filter(
      (part) => row[part] !== record[part],
    );
    for (const part of parts) {
      const detail = `${id}: ${outcome} with ${part} ${record[part]}, there with ${row[part]}`;
      found.push(violation("there as sent", detail));
    }
  }
  return found;
}

function sums(opening: Tables["balances"], { balances }: Tables): Violation<LedgerRule>[] {
  const total = (of: Tables["balances"]) => [...of.values()].reduce((sum, balance) => sum + balance, 0);
  const [before, after] = [total(opening), total(balances)];
  return before === after ? [] : [violation("sum unchanged", `${before} became ${after}`)];
}

/** Each balance must be the opening balance plus the transfers in the ledger. */
function balances(opening: Tables["balances"], tables: Tables): Violation<LedgerRule>[] {
  const expected = new Map(opening);
  const add = (account: number, amount: number) =>
    expected.set(account, (expected.get(account) ?? 0) + amount);
  for (const { source, target, amount } of tables.transfers) {
    add(source, -amount);
    add(target, amount);
  }
  const accounts = new Set([...expected.keys(), ...tables.balances.keys()]);
  return [...accounts]
    .filter((account) => expected.get(account) !== tables.balances.get(account))
    .map((account) => {
      const [should, is] = [expected.get(account) ?? "nothing", tables.balances.get(account) ?? "nothing"];
      return violation(
        "balances follow",
        `account ${account}: ${should} by its transfers, ${is} in the table`,
      );
    });
}

function violation(rule: LedgerRule, detail: string): Violation<LedgerRule> {
  return { rule, detail };
}
