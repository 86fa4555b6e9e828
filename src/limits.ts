/** Every bound of the gateway: its unit in the name, its reason beside it. */
export const limits = {
  /** A token with many claims is 2 to 4 KiB; more is an attack on the parser. */
  tokenBytes: 8 * 1024,
  /** A statement with its parameters; bulk loads do not belong on this endpoint. */
  bodyBytes: 1024 * 1024,
  /** A small body comes at once, over a bad network within seconds; one that has not come by then is waited for no longer. */
  bodyGraceMs: 10_000,
  /** A large one may take a second more for each so many bytes of it: 128 kbit/s is slow, and 1 MiB takes 74 s at most. */
  bodyBytesPerSecond: 16 * 1024,
  /** A body that nobody reads is read over for so long, as workerd does itself; its client hears the answer then. */
  unreadBodyMs: 1_000,
  /** Names of the caller's that an error tells, and how much of each. */
  namesShown: 10,
  nameCharacters: 64,
  /** Mistakes of a body that an error names: a hundred statements may have one each. */
  bodyMistakes: 5,
  /** Elements of an array for IN: a longer list belongs into a table. */
  arrayElements: 1_000,
  /** Placeholders of a prepared statement (MySQL's own limit, 1390), and of one whose values are written into it. */
  boundValues: 65_535,
  /** What a statement's values may have together: a name used often binds its value as often, and that multiplies. */
  boundCharacters: 4 * 1024 * 1024,
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

  /** Requests of a grant's rate: more in a window is no limit. */
  rateRequestsCeiling: 1_000_000,
  /** A day: a bucket that fills more slowly is a quota, which the object's memory would lose. */
  rateWindowCeilingSeconds: 86_400,
  /** Statements of a grant that may run at once in a shard: beyond it its connections and its queue are the limit. */
  concurrentCeiling: 10_000,
  /** Counting is one hop to an object in memory, half a second across the world; longer is an outage. */
  limiterTimeoutMs: 3_000,

  /** A name of DNS (RFC 1035 §2.3.4). */
  hostnameCharacters: 253,
  /** Further hosts would share the time of a connect too finely. */
  hosts: 4,
  /** A Durable Object may hold about 6 open sockets: 5 pooled ones and one kept free for control. */
  connectionsPerShard: 5,
  /** The one kept free. */
  controlConnectionsPerShard: 1,
  /** Pools of one account: with six connections each, as many as a cluster of middle size takes in all. */
  shardsCeiling: 64,
  /** A shard that is saturated or cannot reach the database is passed over for so long, by each isolate. */
  shardAvoidedMs: 2_000,
  /** What a shard has said of its queue counts less and less, and nothing after so long. */
  shardHearsayMs: 1_000,
  /** A refusal that came within so long came at once: another shard may still serve the request. */
  shardRefusalMs: 500,
  /** Waiting requests per shard; beyond it a fast refusal is kinder than a slow one. */
  queueLength: 500,
  /** A waiting request takes memory, and an object has 128 MB. */
  queueLengthCeiling: 2_000,
  /** How long a request waits for a connection. */
  queueWaitMs: 10_000,
  /** Clients give up after a minute at the latest. */
  queueWaitCeilingMs: 60_000,
  /** Dial, TLS, login and proof together. */
  connectTimeoutMs: 10_000,
  /** A cluster on another continent, with TLS, is farther than 100 ms; nobody waits for longer than half a minute. */
  connectTimeoutFloorMs: 100,
  connectTimeoutCeilingMs: 30_000,
  /** From checkout to the last byte of the answer. */
  statementDeadlineMs: 15_000,
  /** The longest deadline that an account or a grant may give. */
  statementDeadlineCeilingMs: 60_000,
  /** The shortest: a statement that is stopped costs a KILL, so nobody may have that for every one. */
  statementDeadlineFloorMs: 100,
  /** A read's answer: it takes no memory, but its connection and the object's time, which others want too. */
  answerBytes: 256 * 1024 * 1024,
  /** What a Worker can carry to one client within the longest deadline, with much to spare. */
  answerBytesCeiling: 4 * 1024 * 1024 * 1024,
  /** What TLS decrypts or encrypts in one step: a record's content (RFC 8446 §5.1). Bounds an instance's memory. */
  tlsStepBytes: 16 * 1024,
  /** From here on an expiring certificate is told: a month is time to renew it, and CAs renew theirs before it. */
  certificateWarningDays: 30,
  /** Engines of ended connections that a pool keeps for their tickets: 0.4 MiB each, and few open at a time. */
  restingEngines: 2,
  /** For so long a verified chain may stand for the next connection: what expires meanwhile counts that much later. */
  tlsVerificationAgeMs: 10 * 60_000,
  /** From so long before a deadline the connection is opened that could kill the statement; a login takes less. */
  controlAheadMs: 1_000,
  /** How long a stopped statement's caller waits for what the server says of it, before an answer without that. */
  stopGraceMs: 1_000,
  /** A server acknowledges a KILL at once: one that does not is asked over another connection. */
  killMs: 1_500,
  /** For so long a stopped statement's connection keeps its place; two KILLs and a login take less. */
  killPatienceMs: 4_000,
  /** So long after the account's longest deadline TiDB ends a SELECT that was left running: a KILL comes before that. */
  leftRunningMs: 1_000,
  /** After its KILL was acknowledged a statement ends within so long, or its connection is ended. */
  killedStatementMs: 1_000,
  /**
   * The gateway uses a token for a login at once. `iat` lies so long before now and `exp` so long after it, because the
   * clocks of the gateway and of TiDB differ. TiDB refuses an `iat` in the future, and one more than 15 minutes old.
   */
  accountTokenSkewSeconds: 60,
  /** A restore, a ping or a KILL that takes longer means that nobody is there any more. */
  commandDeadlineMs: 5_000,
  /** A host that failed is left alone for up to so long at first, then for up to twice as long each time. */
  reconnectBackoffMs: 1_000,
  /** A host is never left alone for longer. */
  reconnectBackoffCeilingMs: 32_000,
  /** While no host can be reached, one caller in so long tries: a cluster that is back is noticed within 5 s. */
  reconnectProbeMs: 3_000,
  /** What a host that failed may cost a caller whom the next one would serve. */
  reconnectTrialMs: 2_000,
  /** A connection to another host than the preferred one is renewed soon, so that load returns. */
  fallbackLifetimeSeconds: 30,
  /** A host that has said that it is read-only is taken for that for so long; then it is asked again. */
  readOnlyHostMs: 30_000,
  /** A connection on which nothing was heard for so long is asked before it is used: the route may be gone. */
  idleTrustMs: 5_000,
  /** How long it may take to answer that; far longer than a round trip across the world. */
  idlePingMs: 2_000,
  /** A connection that is lost so soon after a statement was given to it was dead already. */
  staleLossMs: 1_000,
  /** After a login failed while others serve: no further attempt for so long. */
  openPauseMs: 1_000,
  /** After so long a connection is renewed: a password that was changed or a right that was taken is noticed. */
  connectionLifetimeSeconds: 12 * 60,
  /** An open TCP socket keeps an object alive for 15 min at most: stay below. */
  connectionLifetimeCeilingSeconds: 14 * 60,
  /** Part of the lifetime by which connections differ, so that they are not all renewed at once. */
  connectionLifetimeJitter: 0.1,
  /** Below this connections would be renewed all the time. */
  connectionLifetimeFloorSeconds: 10,
  /** An unused connection is given back to the cluster, and an object without connections can sleep. */
  connectionIdleSeconds: 60,
  /** The server allows 16,382 prepared statements in all; each connection takes few of them. */
  preparedStatementsPerConnection: 64,
  /** How many are prepared ahead at the most: each costs the server a preparation for each statement that runs. */
  hotStatements: 8,
  /** How many of a shard's latest statements decide which ones are hot; few, so that a change is noticed soon. */
  hotStatementWindow: 64,
  /** The part of them that one must be: rarer than this its preparation is more often in vain than of use. */
  hotStatementShare: 1 / 16,
  /** A statement's text is kept once per place in the window: a longer one is always cold. */
  hotStatementCharacters: 16 * 1024,
  /** How many of an account's statements are remembered in a shard for having warned; their texts are kept. */
  warnedStatements: 64,

  /** Open transactions of a shard: an idle one keeps a connection from everybody else. */
  transactionsPerShard: 2,
  /** How many of them one caller may have, unless the grant says otherwise. */
  transactionsPerCaller: 2,
  /** The most that a grant may allow one caller: every transaction of the largest account. */
  transactionsPerCallerCeiling: 128,
  /** A transaction in which nothing runs is forgotten by whoever began it, and its locks stop others. */
  transactionIdleMs: 60_000,
  /** The shortest time that a caller may give one: less is over before the next request has arrived. */
  transactionFloorMs: 100,
  /** From its beginning to its end; no lock may be held for longer. */
  transactionMs: 5 * 60_000,
  /** Ended transactions that a shard remembers, some 200 bytes each, so that a late call is told what became of one. */
  endedTransactions: 1_000,

  /** Statements of a batch: more would hold its locks for long. */
  batchStatements: 100,
  /** A batch's results wait in memory until it is committed; a shard runs five at once. */
  batchResultBytes: 4 * 1024 * 1024,
  /** Values of a batch that are sent without waiting for an answer; they are in memory several times over. */
  batchBurstBytes: 1024 * 1024,
  /** What one statement may get of earlier results: a `$ref` is short, and could be repeated for a megabyte each time. */
  batchReferredBytes: 4 * 1024 * 1024,
  /** After a statement has failed the server executes what was sent behind it; for so long, then it is killed. */
  batchFailureGraceMs: 400,
  /** What the database says of a schema, some 20,000 columns: read, put together and written it is ten times as much. */
  schemaBytes: 2 * 1024 * 1024,

  /** How long the answer to a request with an Idempotency-Key is kept, from its beginning on; a day is the custom. */
  idempotencyAgeMs: 24 * 60 * 60_000,
  /** A UUID has 36 characters; the key is part of an object's name. */
  idempotencyKeyCharacters: 255,
  /** An answer that is kept is stored for a day for each key; that to a write has some 200 bytes. */
  idempotentAnswerBytes: 256 * 1024,
  /** Asking whether a request is new is one hop, and one write to the disk. */
  idempotencyTimeoutMs: 3_000,
  /** Beyond queue and deadline a request takes no longer: a COMMIT has 15 s, a KILL 4 s. */
  idempotencyGraceMs: 25_000,

  /** A server's greeting has about 100 bytes (MySQL manual, Protocol::HandshakeV10). */
  greetingBytes: 1024,
  /** A packet of the login: the longest is an RSA key or a question of PAM's. */
  loginPacketBytes: 16 * 1024,
  /** Warnings of a statement that are told: a warning has some 500 bytes, and MariaDB keeps no more by itself. */
  warnings: 64,
  /** What a server may answer to the gateway's own commands: a row about the session, or a statement's warnings. */
  commandReplyBytes: 64 * 1024,
  /** Read from a database's socket at once: four records of TLS. Each connection has so much room. */
  socketReadBytes: 64 * 1024,
  /** Read without a pause: a server that sends without end would keep timers and every other socket waiting. */
  socketTurnBytes: 1024 * 1024,
  /** A row, or what describes a result. It is in memory several times over (packet, values, JSON), and five at once. */
  rowBytes: 8 * 1024 * 1024,
  /** Columns of a result; MySQL and MariaDB have 4,096 at most (their manuals, "Limits on Table Column Count"). */
  columns: 4_096,
  /** Columns that are read over, of a result that is not answered: PREPARE cannot announce more. */
  readColumns: 65_535,

  /** An answer up to this size is sent in one piece with its length; a longer one is streamed. */
  wholeAnswerBytes: 64 * 1024,
  /** What is encoded before it is handed to the stream. */
  chunkBytes: 16 * 1024,
  /** A shorter answer fits in a packet of the network as it is: compressing it gains nothing. */
  compressedFromBytes: 1024,
  /** Rows that are here wait no longer for their answer to fill. A quick one has ended by then, and is whole. */
  flushMs: 100,

  /** How long a browser may remember what a preflight said; Chromium takes two hours at most. */
  preflightAgeSeconds: 7200,

  /** So often an object sets the platform's timer again: a longer one could be left over, and would keep the object awake. */
  timerTickMs: 1_000,
  /** /readyz asks the database at most this often per isolate: the endpoint is open to anybody. */
  readinessAgeMs: 5_000,
  /** Whoever asks during the first check waits for it: a connect takes 30 s at most (connectTimeoutCeilingMs). */
  readinessPatienceMs: 30_000,
  /** A pool that has not said by then what it counted is down: Prometheus gives up after 10 s, with all of it. */
  metricsTimeoutMs: 3_000,
  /** Retry-After for a network that asks too often: the shorter of the platform's two periods. */
  wallRetryAfterSeconds: 10,
  /** Retry-After where an account's identity is not what it must be: somebody has to change it. */
  identityRetryAfterSeconds: 30,
  /** Retry-After of a 503 when nothing better is known. */
  retryAfterSeconds: 1,
} as const;
