/**
 * A transaction's id: the shard's number, so that a Worker finds the shard, and 128 random bits, so that it
 * cannot be guessed. The id alone gives no access: the caller is authorized for the account first, and other
 * callers' transactions are unknown to it.
 */
export function newTransactionId(shard: number): string {
  return `${shard}-${Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("hex")}`;
}

/** @returns the shard in an id; undefined if the id is malformed or the account has fewer shards */
export function shardOfTransaction(id: string, shards: number): number | undefined {
  const [, digits] = /^(0|[1-9]\d?)-[0-9a-f]{32}$/.exec(id) ?? [];
  const shard = Number(digits);
  return digits !== undefined && shard < shards ? shard : undefined;
}
