import { setTimeout as sleep } from "node:timers/promises";
import type { Ask } from "./client.ts";
import { accounts } from "./database.ts";
import type { Transfer, TransferRecord } from "./oracle.ts";
import type { Answer, Judgement } from "./outcome.ts";
import { judge } from "./outcome.ts";
import type { Random } from "./random.ts";
import type { Tally, Way } from "./tally.ts";

/** A caller that moves money. */
export interface Caller {
  name: string;
  ask: Ask;
  random: Random;
}

const mostAttempts = 6;
/** The share of transfers through /v1/transactions. Each of these keeps a connection for six requests. */
const transactionPart = 0.25;

/** Moves money until `signal` aborts. Resolves when every transfer has ended. */
export async function moveMoney(caller: Caller, tally: Tally, signal: AbortSignal): Promise<void> {
  const lookups: Promise<void>[] = [];
  for (let count = 1; !signal.aborted; count++) {
    const record = await move(caller, newTransfer(caller, count), tally, signal);
    tally.records.push(record);
    if (record.outcome === "unknown") lookups.push(lookUp(caller, record, signal));
    await sleep(caller.random.between(5, 40));
  }
  await Promise.all(lookups);
}

function newTransfer({ name, random }: Caller, count: number): Transfer {
  const source = random.between(1, accounts);
  const target = ((source - 1 + random.between(1, accounts - 1)) % accounts) + 1;
  return { id: `${name}-${count}`, source, target, amount: random.between(1, 100) };
}

/**
 * Tries until there is an outcome. It repeats a request only if it was refused for certain, and is retryable.
 */
async function move(
  { ask, random }: Caller,
  transfer: Transfer,
  tally: Tally,
  signal: AbortSignal,
): Promise<TransferRecord> {
  for (let attempt = 1; ; attempt++) {
    const way: Way = random.chance(transactionPart) ? "transaction" : "batch";
    const startedMs = tally.nowMs();
    const { verdict, answer } = await (way === "batch" ? byBatch : byTransaction)(ask, transfer, attempt);
    const { outcome, retryable } = verdict;
    if (outcome === "acknowledged") tally.acknowledged(way, startedMs);
    const again = outcome === "refused" && retryable && attempt < mostAttempts && !signal.aborted;
    if (!again) return { ...transfer, outcome, attempt, seen: false };
    tally.retries += 1;
    const waitMs = (answer?.retryAfterSeconds ?? 0) * 1000;
    await sleep(waitMs + random.between(10, 100));
  }
}

interface Tried {
  verdict: Judgement;
  answer: Answer | undefined;
}

/** Does not sort the two accounts, so that two transfers can block each other. */
function statementsOf({ id, source, target, amount }: Transfer, attempt: number) {
  return [
    {
      sql: "INSERT INTO transfers (id, source, target, amount, attempt) VALUES (?, ?, ?, ?, ?)",
      params: [id, source, target, amount, attempt],
    },
    { sql: "UPDATE accounts SET balance = balance - ? WHERE id = ?", params: [amount, source] },
    { sql: "UPDATE accounts SET balance = balance + ? WHERE id = ?", params: [amount, target] },
  ];
}

async function byBatch(ask: Ask, transfer: Transfer, attempt: number): Promise<Tried> {
  const answer = await ask("POST", "/v1/batch", { statements: statementsOf(transfer, attempt) });
  return { verdict: judge("decisive", answer), answer };
}

/** How long a transaction stays open after its caller has gone. */
export const idleTimeoutMs = 5_000;

async function byTransaction(ask: Ask, transfer: Transfer, attempt: number): Promise<Tried> {
  const begun = await ask("POST", "/v1/transactions", { idle_timeout_ms: idleTimeoutMs });
  if (begun?.status !== 201) return { verdict: judge("preparing", begun), answer: begun };
  const path = `/v1/transactions/${begun.body.id}`;
  for (const statement of statementsOf(transfer, attempt)) {
    const answer = await ask("POST", `${path}/sql`, statement);
    if (answer?.status === 200) continue;
    // Without a COMMIT the transfer cannot be in the ledger, whatever the answer to this statement is.
    if (answer === undefined || answer.body.transaction !== "rolled_back") await ask("DELETE", path);
    return { verdict: judge("preparing", answer), answer };
  }
  const answer = await ask("POST", `${path}/commit`);
  return { verdict: judge("decisive", answer), answer };
}

/** A missing transfer proves little, because its COMMIT may still be on its way. A found transfer stays. */
async function lookUp({ ask, random }: Caller, record: TransferRecord, signal: AbortSignal): Promise<void> {
  await sleep(random.between(500, 5_000), undefined, { signal }).catch(() => {});
  const sql = "SELECT COUNT(*) AS n FROM transfers WHERE id = ?";
  const answer = await ask("POST", "/v1/sql?rows=array", { sql, params: [record.id] });
  const [row] = (answer?.body.rows ?? []) as unknown[][];
  record.seen = answer?.status === 200 && Number(row?.[0]) > 0;
}
