/** Every bound of the gateway, with the unit in its name and the reason beside it. */
export const limits = {
  /** A token with many claims has 2 to 4 KiB. An issuer may permit longer ones. */
  tokenBytes: 8 * 1024,
  /** The bounds of an issuer's `max_token_bytes`. */
  tokenBytesFloor: 1024,
  tokenBytesCeiling: 64 * 1024,
  /** A proof of possession has a key of at most 1 KiB and a few short claims (RFC 9449 §4.2). */
  proofBytes: 8 * 1024,
  /** 2200-01-01. A later time in a token is one in milliseconds: the token would hardly ever expire. */
  latestTokenSeconds: 7_258_118_400,
  /** A statement with its parameters. This endpoint is not for bulk loads. */
  bodyBytes: 1024 * 1024,
  /** Time for a small request body: it arrives at once, or within seconds over a bad network. */
  bodyGraceMs: 10_000,
  /** A large body gets one more second per 16 KiB: 128 kbit/s is slow, and 1 MiB takes 74 s at most. */
  bodyBytesPerSecond: 16 * 1024,
  /** How long an unused request body is read and dropped, as in workerd. Then the client gets its answer. */
  unreadBodyMs: 1_000,
  /** How long a browser may keep a file of the documentation page: a year, as its address has its digest. */
  viewerAgeSeconds: 365 * 24 * 60 * 60,
  /** How many texts of Accept and Accept-Encoding an isolate keeps with their meaning; browsers send a dozen. */
  keptHeaders: 100,
  keptHeaderCharacters: 256,
  /** How many of the callers' statements an isolate keeps with the guard's judgement, and how long they may be. */
  keptStatements: 100,
  keptStatementCharacters: 2_048,
  /** How many of the caller's names an error message shows, and how many characters of each. */
  namesShown: 10,
  nameCharacters: 64,
  /** How many mistakes of a body an error message lists: each of 100 statements may have one. */
  bodyMistakes: 5,
  /** Grants whose mismatch the log line of a refused request has, and how many characters of each. */
  mismatchesShown: 5,
  mismatchCharacters: 200,
  /** Names in one plain SELECT: to ask the server about more would cost more than a restore. */
  plainNames: 100,
  /** Names, and functions, that one question to the server has: those of a few statements. */
  plainQuestionNames: 200,
  /** Elements of an array for IN. A longer list belongs in a table. */
  arrayElements: 1_000,
  /** Wrong parameters that a problem document lists: a saved query has few, an array has many elements. */
  faultsShown: 20,
  /** Values of an enum in a saved query. A longer list belongs in a table. */
  enumValues: 100,
  /** States of a pattern's automaton. One of `{0,200}` has 201, and the bundle has a table of them. */
  patternStates: 500,
  /** How long the head of a saved query may let a client keep an answer: a year (RFC 9111 names no bound). */
  cacheAgeCeilingSeconds: 365 * 86_400,
  /** Rows of a page of a saved query. More are better read as one stream. */
  pageRowsCeiling: 10_000,
  /**
   * A text that orders pages. A server sorts texts by their first `max_sort_length` bytes, which are 1024, and a
   * character may have four.
   */
  pageKeyCharacters: 255,
  /** The keys of a row and a digest. Proxies and servers take addresses of 8 KiB. */
  cursorCharacters: 4_096,
  /** To skip rows, a server reads them all: a later page would cost more than callers may spend at once. */
  pageOffset: 100_000,
  /** Placeholders of a statement (MySQL's own limit, error 1390). Also for values written into its text. */
  boundValues: 65_535,
  /** Characters of all values of a statement together: each use of a name binds its value once more. */
  boundCharacters: 4 * 1024 * 1024,
  /** Accepted difference between the clocks of issuer and edge (RFC 8725 names no number; 30 s is common). */
  clockSkewSeconds: 30,
  /** A silent issuer must not hold a request much longer than a person waits. */
  jwksTimeoutMs: 5_000,
  /** A key set has a few KiB. A larger one would only make us parse. */
  jwksBytes: 64 * 1024,
  /** An unknown `kid` may be a new key, so the issuer is asked again, but not for each forged token. */
  jwksCooldownMs: 30_000,
  /** From this age on the keys are fetched again in the background. */
  jwksRefreshAgeMs: 5 * 60_000,
  /** The longest time a removed key still works: with older keys, nothing is verified before a fetch. */
  jwksMaxAgeMs: 10 * 60_000,
  /** How long the last keys stay in use while the issuer cannot be reached. */
  jwksStaleMs: 60 * 60_000,
  /** After a failed fetch, requests fail at once for this time, and no new fetch starts. */
  jwksRetryMs: 5_000,
  /** The Keys object may wait for two fetches: metadata and keys. After this time it counts as dead. */
  keysTimeoutMs: 11_000,
  /** How long an isolate uses its own copy before it asks the Keys object. */
  jwksCopyAgeMs: 60_000,
  /** The shortest pause between two questions of an isolate to the Keys object about an unknown `kid`. */
  unknownKidPauseMs: 1_000,

  /** Keys that a token without `kid` is tried with. Sets have two to ten, and each try costs a forged token too. */
  keysTried: 16,
  /** How many keys that are not used a message names: a set of 64 KiB may have 30,000 keys that are none. */
  refusedKeysShown: 32,

  /** How many verified tokens an isolate remembers. */
  verifiedTokens: 1_000,
  /** After this time a remembered token is verified again, so that a removed key stops working. */
  verifiedTokenAgeMs: 60_000,

  /** Largest distance of a proof's `iat` from now: clients' clocks are often wrong. A nonce bounds it too. */
  proofAgeSeconds: 300,
  /** How long the object hands out one nonce. It accepts the nonce for as long again. */
  proofNonceAgeMs: 5 * 60_000,
  /** Proofs remembered per nonce, 43 bytes each. A key with more proofs gets a new nonce sooner. */
  proofsPerNonce: 5_000,
  /** One hop to the Proofs object, as to the Limiter. */
  proofsTimeoutMs: 3_000,

  /** Largest number of requests in a grant's rate. A larger number would limit nothing. */
  rateRequestsCeiling: 1_000_000,
  /** A day. A slower bucket would be a quota, and an object's memory would lose it. */
  rateWindowCeilingSeconds: 86_400,
  /** Parallel statements of a grant in a shard. Beyond it the shard's connections and queue are the limit. */
  concurrentCeiling: 10_000,
  /** Counting takes one hop to an object in memory: half a second across the world. Longer is an outage. */
  limiterTimeoutMs: 3_000,

  /** A name of DNS (RFC 1035 §2.3.4). */
  hostnameCharacters: 253,
  /** With more hosts, each would get too little of the connect time. */
  hosts: 4,
  /** A Durable Object may hold about 6 open sockets: 5 for the pool, 1 for KILL. */
  connectionsPerShard: 5,
  /** The socket that stays free for KILL. */
  adminConnectionsPerShard: 1,
  /** Shards of one account. With 6 connections each, they use up a medium cluster. */
  shardsCeiling: 64,
  /** How long an isolate skips a shard that is full or cannot reach the database. */
  shardAvoidedMs: 2_000,
  /** A shard's report of its queue counts less with age, and nothing after this time. */
  shardHearsayMs: 1_000,
  /** A refusal within this time came at once, so there is time to ask another shard. */
  shardRefusalMs: 500,
  /** Waiting requests per shard. Beyond that, a fast refusal is better than a slow one. */
  queueLength: 500,
  /** A waiting request takes memory, and an object has 128 MB. */
  queueLengthCeiling: 2_000,
  /** How long a request waits for a connection. */
  queueWaitMs: 10_000,
  /** Clients give up after a minute at the latest. */
  queueWaitCeilingMs: 60_000,
  /** Dial, TLS, login and proof together. */
  connectTimeoutMs: 10_000,
  /** 100 ms is too short for TLS to another continent; 30 s is longer than a caller waits. */
  connectTimeoutFloorMs: 100,
  connectTimeoutCeilingMs: 30_000,
  /** From checkout to the last byte of the answer. */
  statementDeadlineMs: 15_000,
  /** The longest deadline that an account or a grant may give. */
  statementDeadlineCeilingMs: 60_000,
  /** The shortest deadline: each stopped statement costs a KILL, so a caller must not stop every one. */
  statementDeadlineFloorMs: 100,
  /** The answer to a read. It needs no memory, but it holds a connection and uses the object's time. */
  answerBytes: 256 * 1024 * 1024,
  /** More than a Worker can send to one client within the longest deadline. */
  answerBytesCeiling: 4 * 1024 * 1024 * 1024,
  /** One TLS step: the content of one record (RFC 8446 §5.1). It bounds the memory of an instance. */
  tlsStepBytes: 16 * 1024,
  /** When to warn of an expiring certificate. A month is enough to renew it, and CAs renew theirs earlier. */
  certificateWarningDays: 30,
  /** TLS engines of ended connections that a pool keeps for their tickets. Each has 0.4 MiB. */
  restingEngines: 2,
  /** How long a verified chain serves for new connections. A later expiry is noticed that much later. */
  tlsVerificationAgeMs: 10 * 60_000,
  /** How long before a deadline the admin connection opens, for KILL. A login takes less. */
  adminAheadMs: 1_000,
  /** After a stop, how long the caller's answer waits for the server's reply to the statement. */
  stopGraceMs: 1_000,
  /** A server acknowledges a KILL at once. After this time the KILL goes over another connection. */
  killMs: 1_500,
  /** How long a stopped statement's connection keeps its slot. Two KILLs and a login take less. */
  killPatienceMs: 4_000,
  /** TiDB itself ends a SELECT this long after the account's longest deadline. A KILL comes earlier. */
  leftRunningMs: 1_000,
  /** A statement ends this soon after the server acknowledged its KILL. Else its connection is closed. */
  killedStatementMs: 1_000,
  /**
   * The gateway uses a token for a login at once. The clocks of the gateway and of TiDB differ, so `iat` is
   * this far in the past and `exp` this far in the future. TiDB refuses an `iat` in the future, and one older
   * than 15 minutes.
   */
  accountTokenSkewSeconds: 60,
  /** If a restore, a ping or a KILL takes longer, the server is gone. */
  commandDeadlineMs: 5_000,
  /** The first pause after a host failed is at most this long. Each further pause is up to twice as long. */
  reconnectBackoffMs: 1_000,
  /** The longest such pause. */
  reconnectBackoffCeilingMs: 32_000,
  /** While no host can be reached, one caller per 3 s tries. A cluster that is back is noticed within 5 s. */
  reconnectProbeMs: 3_000,
  /** How long a caller waits for a host that failed before, when the next host could serve. */
  reconnectTrialMs: 2_000,
  /** A connection to a host that is not the preferred one is replaced soon, so that the load returns. */
  fallbackLifetimeSeconds: 30,
  /** How long a host counts as read-only after it said so. Then it is asked again. */
  readOnlyHostMs: 30_000,
  /** After this much silence a connection gets a ping before its next use: the network path may be gone. */
  idleTrustMs: 5_000,
  /** The time limit of that ping: far longer than a round trip across the world. */
  idlePingMs: 2_000,
  /** A connection that breaks this soon after it got a statement was already dead. */
  staleLossMs: 1_000,
  /** After a failed login, while other connections serve: the pause before the next attempt. */
  openPauseMs: 1_000,
  /** A connection is replaced after this time, so that a new password or a revoked right takes effect. */
  connectionLifetimeSeconds: 12 * 60,
  /** An open TCP socket keeps an object alive for 15 min at most, so this is below. */
  connectionLifetimeCeilingSeconds: 14 * 60,
  /** The share of the lifetime that is random, so that connections are not all replaced at once. */
  connectionLifetimeJitter: 0.1,
  /** With a shorter lifetime, connections would be replaced all the time. */
  connectionLifetimeFloorSeconds: 10,
  /** An unused connection is closed. An object without connections can sleep. */
  connectionIdleSeconds: 60,
  /** The server allows 16,382 prepared statements in all, so each connection takes few. */
  preparedStatementsPerConnection: 64,
  /** How many statements are prepared ahead. Each one costs the server a PREPARE in every restore. */
  hotStatements: 8,
  /** So many latest statements of a shard decide which ones are hot. Few, to notice a change soon. */
  hotStatementWindow: 64,
  /** The share of them that a hot statement must have. For a rarer one the PREPARE is mostly wasted. */
  hotStatementShare: 1 / 16,
  /** The window keeps each statement's text. A longer text is never hot. */
  hotStatementCharacters: 16 * 1024,
  /** How many statements with warnings a shard remembers per account. It keeps their texts. */
  warnedStatements: 64,

  /** A right that the server revokes may serve this long: a restore notices it (docs/guides/rotation.md). */
  runMs: 1_000,
  /** A session's own state is small, whatever it ran: this bounds what a mistake about one could mix. */
  runStatements: 1_000,
  runParameterBytes: 1024 * 1024,
  /** The latest statements (hotStatementWindow) came within this time: 200 a second, so a run has some 50. */
  busyWindowMs: 320,
  /** An idle session in a run is restored after this time, for statements that need a restored one. */
  runIdleMs: 20,
  /** The same where no other idle session is restored: long enough for a caller who asks again at once. */
  lastRunIdleMs: 2,

  /** Open transactions of a shard. An idle one holds a connection that other callers need. */
  transactionsPerShard: 2,
  /** Open transactions of one caller, unless the grant says otherwise. */
  transactionsPerCaller: 2,
  /** The most that a grant may allow one caller: every transaction of the largest account. */
  transactionsPerCallerCeiling: 128,
  /** A client that sends nothing for this time has forgotten its transaction, whose locks block others. */
  transactionIdleMs: 60_000,
  /** The shortest idle time that a caller may set: a shorter one ends before the next request arrives. */
  transactionFloorMs: 100,
  /** From begin to end of a transaction. No lock may be held longer. */
  transactionMs: 5 * 60_000,
  /** Ended transactions that a shard remembers, about 200 bytes each, to tell a late call how one ended. */
  endedTransactions: 1_000,

  /** Statements of a batch. More would hold locks for too long. */
  batchStatements: 100,
  /**
   * The results of a batch stay in memory until COMMIT, and so do a page and a single row until their end. A shard runs
   * five statements at once.
   */
  batchResultBytes: 4 * 1024 * 1024,
  /** Bytes of values that a batch sends before it waits for an answer. Memory holds them several times. */
  batchBurstBytes: 1024 * 1024,
  /** Bytes of earlier results in one statement. A `$ref` is short, but each one may copy a megabyte. */
  batchReferredBytes: 4 * 1024 * 1024,
  /** After a failed statement the server still executes the statements sent after it. Then comes a KILL. */
  batchFailureGraceMs: 400,
  /** The database's description of a schema, about 20,000 columns. Its answer needs ten times the memory. */
  schemaBytes: 2 * 1024 * 1024,

  /** How long the answer to a request with an Idempotency-Key is kept, from its beginning. A day is usual. */
  idempotencyAgeMs: 24 * 60 * 60_000,
  /** A UUID has 36 characters; the key is part of an object's name. */
  idempotencyKeyCharacters: 255,
  /** A stored answer stays for a day, one per key. The answer to a write has about 200 bytes. */
  idempotentAnswerBytes: 256 * 1024,
  /** Asking the Idempotency object takes one hop and one write to disk. */
  idempotencyTimeoutMs: 3_000,
  /** The most a request takes beyond queue and deadline: a COMMIT has 15 s, a KILL 4 s. */
  idempotencyGraceMs: 25_000,

  /** A server's greeting has about 100 bytes (MySQL manual, Protocol::HandshakeV10). */
  greetingBytes: 1024,
  /** A packet of the login. The longest ones hold an RSA key or a question of PAM. */
  loginPacketBytes: 16 * 1024,
  /** Warnings in one answer. A warning has about 500 bytes, and MariaDB keeps 64 by default. */
  warnings: 64,
  /** A server's reply to the gateway's own commands: a row about the session, or warnings. */
  commandReplyBytes: 64 * 1024,
  /** The largest read from a database socket: four TLS records. */
  socketReadBytes: 64 * 1024,
  /** The smallest read, which takes most answers of one row. Four times as much follows a full read. */
  socketReadLeastBytes: 4 * 1024,
  /** Bytes read before a pause, so that an endless sender does not block timers and other sockets. */
  socketTurnBytes: 1024 * 1024,
  /** A row, or a result's columns. Memory holds several copies of it, and a shard reads five rows at once. */
  rowBytes: 8 * 1024 * 1024,
  /** The columns of statements that a connection remembers: 1 KiB each, of the 128 MB of five connections. */
  knownColumns: 2_048,
  /** Their definitions. One has 60 to 100 bytes, and its name may take ten times its bytes in memory. */
  knownColumnsBytes: 256 * 1024,
  /** The share of one statement: so hotStatements fit. */
  knownColumnsOfText: 256,
  knownColumnsBytesOfText: 32 * 1024,
  /** Columns of a result; MySQL and MariaDB have 4,096 at most (their manuals, "Limits on Table Column Count"). */
  columns: 4_096,
  /** Columns of a result that is read but not answered. PREPARE cannot announce more. */
  readColumns: 65_535,

  /** An answer up to this size is sent whole, with its length. A longer answer is streamed. */
  wholeAnswerBytes: 64 * 1024,
  /** The encoder collects this much before it writes to the stream. Each write costs RPC 25 µs, whatever its size. */
  chunkBytes: 128 * 1024,
  /** A shorter answer fits into one network packet, so compression gains nothing. */
  compressedFromBytes: 1024,
  /** How long rows wait for their chunk to fill. A quick answer has ended by then and is sent whole. */
  flushMs: 100,
  /** A longer message from Worker to Pool is a stream: RPC takes 32 MiB in an argument, and a character has up to 2 bytes. */
  messageCharacters: 1024 * 1024,

  /** How long a browser may keep a preflight's answer. Chromium keeps it two hours at most. */
  preflightAgeSeconds: 7200,

  /** How long a cache may keep the resource's metadata (RFC 9728 §3.2): a changed policy is known soon. */
  resourceMetadataAgeSeconds: 300,

  /** The longest platform timer of an object. A longer one could be left over, and keep the object awake. */
  timerTickMs: 1_000,
  /** An isolate's /readyz asks the database at most this often, because the endpoint is public. */
  readinessAgeMs: 5_000,
  /** Requests wait for a running first check: a connect takes 30 s at most (connectTimeoutCeilingMs). */
  readinessPatienceMs: 30_000,
  /** A pool that sends no counters within this time counts as down. Prometheus waits 10 s for all pools. */
  metricsTimeoutMs: 3_000,
  /** Retry-After for a client address with too many requests: the shorter of the platform's two periods. */
  ipRateLimitRetryAfterSeconds: 10,
  /** Networks that the counter of `tidegate serve` knows at once: about 20 MB. */
  wallNetworks: 100_000,
  /** How often a stopping `tidegate serve` looks whether work is left: an answer takes about as long. */
  drainLookMs: 20,
  /** Retry-After where an account has the wrong identity: a person has to change it. */
  identityRetryAfterSeconds: 30,
  /** Retry-After of a 503 without a better number. */
  retryAfterSeconds: 1,
} as const;
