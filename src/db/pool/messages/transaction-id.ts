/**
 * A transaction's id: its shard, so that a Worker finds it, and 128 random bits, so that nobody guesses it. It
 * gives no access by itself: the caller is authorized for the account first, and it is theirs or unknown.
 */
export function newTransactionId(shard: number): string {
  return `${shard}-${Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("hex")}`;
}

/** @returns the shard that an id leads to; undefined when it is none of an account with so many shards */
export function shardOfTransaction(id: string, shards: number): number | undefined {
  const [, digits] = /^(0|[1-9]\d?)-[0-9a-f]{32}$/.exec(id) ?? [];
  const shard = Number(digits);
  return digits !== undefined && shard < shards ? shard : undefined;
}
