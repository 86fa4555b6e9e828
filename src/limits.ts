/** Every bound of the gateway: its unit in the name, its reason beside it. */
export const limits = {
  /** A token with many claims is 2 to 4 KiB; more is an attack on the parser. */
  tokenBytes: 8 * 1024,
  /** A statement with its parameters; bulk loads do not belong on this endpoint. */
  bodyBytes: 1024 * 1024,
  /** Clock difference between issuer and edge that is forgiven (RFC 8725 leaves it to us; 30 s is common). */
  clockSkewSeconds: 30,
  /** An issuer that does not answer must not hold a request much longer than a person waits. */
  jwksTimeoutMs: 5_000,
  /** A key set has a few KiB; more would only be there to be parsed. */
  jwksBytes: 64 * 1024,
  /** An unknown `kid` may be a new key: the issuer is asked again, but not for every forged token. */
  jwksCooldownMs: 30_000,
  /** From this age on the keys are fetched again in the background. */
  jwksRefreshAgeMs: 5 * 60_000,
  /** How long a removed key can still be honoured: from this age on nothing is verified before a fetch. */
  jwksMaxAgeMs: 10 * 60_000,
  /** While the issuer cannot be reached its last keys serve on for so long. */
  jwksStaleMs: 60 * 60_000,
  /** After a fetch failed: no other for so long, and the failure is told at once. */
  jwksRetryMs: 5_000,
  /** The Keys object may wait for two fetches, one of them for metadata; longer means that it is gone. */
  keysTimeoutMs: 11_000,
  /** How long an isolate uses its own copy before it asks the Keys object. */
  jwksCopyAgeMs: 60_000,
  /** How often an isolate asks the Keys object about a `kid` that nobody knows. */
  unknownKidPauseMs: 1_000,

  /** Verified tokens that an isolate remembers. */
  verifiedTokens: 1_000,
  /** A remembered token is verified again after so long: a removed key must stop. */
  verifiedTokenAgeMs: 60_000,

  /** How far a proof's `iat` may be from now; its nonce bounds it too, and clients' clocks are often wrong. */
  proofAgeSeconds: 300,
  /** How long a nonce for proofs is given out; it is taken for as long again. */
  proofNonceAgeMs: 5 * 60_000,
  /** Proofs remembered per nonce, 43 bytes each: a key that makes more gets a new nonce sooner. */
  proofsPerNonce: 5_000,
  /** Asking whether a proof is new is one hop, as counting is. */
  proofsTimeoutMs: 3_000,

  /** Counting is one hop to an object in memory, half a second across the world; longer is an outage. */
  limiterTimeoutMs: 3_000,

  /** A Durable Object may hold about 6 open sockets: 5 pooled ones and one kept free for control. */
  connectionsPerShard: 5,
  /** Waiting requests per shard; beyond it a fast refusal is kinder than a slow one. */
  queueLength: 500,
  /** How long a request waits for a connection. */
  queueWaitMs: 10_000,
  /** Dial, TLS, login and proof together. */
  connectTimeoutMs: 10_000,
  /** From checkout to the last byte of the answer. */
  statementDeadlineMs: 15_000,
  /** The longest deadline that a grant may give. */
  statementDeadlineCeilingMs: 60_000,
  /** What TLS decrypts or encrypts in one step: a record's content (RFC 8446 §5.1). Bounds an instance's memory. */
  tlsStepBytes: 16 * 1024,
  /** A token that the gateway makes for a login is used at once. */
  accountTokenSeconds: 60,
  /** A restore, a ping or a KILL that takes longer means that nobody is there any more. */
  commandDeadlineMs: 5_000,
  /** After a login failed while others serve: no further attempt for so long. */
  openPauseMs: 1_000,
  /** After so long a connection is renewed: a password that was changed or a right that was taken is noticed. */
  connectionLifetimeSeconds: 12 * 60,
  /** An open TCP socket keeps an object alive for 15 min at most: stay below. */
  connectionLifetimeCeilingSeconds: 14 * 60,
  /** Part of the lifetime by which connections differ, so that they are not all renewed at once. */
  connectionLifetimeJitter: 0.1,
  /** An unused connection is given back to the cluster. */
  connectionIdleMs: 60_000,
  /** The server allows 16,382 prepared statements in all; each connection takes few of them. */
  preparedStatementsPerConnection: 64,

  /** An answer up to this size is sent in one piece with its length; a longer one is streamed. */
  wholeAnswerBytes: 64 * 1024,
  /** What is encoded before it is handed to the stream. */
  chunkBytes: 16 * 1024,

  /** How long a browser may remember what a preflight said; Chromium takes two hours at most. */
  preflightAgeSeconds: 7200,

  /** /readyz asks the database at most this often per isolate: the endpoint is open to anybody. */
  readinessAgeMs: 5_000,
  /** Retry-After for a network that asks too often: the shorter of the platform's two periods. */
  wallRetryAfterSeconds: 10,
  /** Retry-After of a 503 when nothing better is known. */
  retryAfterSeconds: 1,
} as const;
