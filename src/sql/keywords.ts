/** The first words of statements, and the messages for words that are never accepted. */
/** The main verb of an accepted statement: UPDATE for `WITH .. UPDATE`, DESCRIBE for `DESC`. */
export type Verb =
  | "SELECT"
  | "TABLE"
  | "VALUES"
  | "SHOW"
  | "DESCRIBE"
  | "EXPLAIN"
  | "ANALYZE"
  | "INSERT"
  | "UPDATE"
  | "DELETE"
  | "REPLACE"
  | "CALL"
  | "CREATE"
  | "ALTER"
  | "DROP"
  | "RENAME"
  | "TRUNCATE";

const account = "Accounts and privileges are managed outside the gateway.";
const administration = "Server administration is not done through the gateway.";
const prepared = "Send the statement itself with parameters.";
const library = "Loadable functions and packages are installed outside the gateway.";

/** Statements that the guard knows and always refuses, with the reason or an alternative. */
export const refused: ReadonlyMap<string, string> = new Map([
  ...each(
    "SET RESET DO HANDLER LOCK UNLOCK KILL",
    "The session belongs to the gateway, which shares it among callers.",
  ),
  ...each("USE", "Write the database before the name instead: db.table."),
  ...each("BEGIN START COMMIT ROLLBACK SAVEPOINT RELEASE XA", "Use the batch or the transaction endpoints."),
  ...each("PREPARE EXECUTE DEALLOCATE DELIMITER", prepared),
  ...each("LOAD IMPORT", "Files are out of reach."),
  ...each("GRANT REVOKE", account),
  ...each("SIGNAL RESIGNAL GET IF CASE LOOP WHILE REPEAT FOR DECLARE RETURN", "It is for stored programs."),
  ...each(
    "ADMIN BACKUP BATCH BINLOG CACHE CALIBRATE CANCEL CHANGE CHECK CHECKSUM CLONE DISTRIBUTE",
    administration,
  ),
  ...each(
    "FLASHBACK FLUSH INSTALL OPTIMIZE PLAN PURGE QUERY RECOMMEND RECOVER REFRESH REPAIR",
    administration,
  ),
  ...each("PAUSE RESTART RESTORE RESUME SHUTDOWN SPLIT STOP TRACE TRAFFIC UNINSTALL", administration),
]);

/** The kinds of objects that CREATE, ALTER and DROP accept. */
export const schemaObjects: ReadonlySet<string> = new Set(
  "TABLE TABLES INDEX VIEW DATABASE SCHEMA SEQUENCE TRIGGER PROCEDURE FUNCTION EVENT".split(" "),
);

/** Kinds of objects that the guard knows and always refuses. */
export const refusedObjects: ReadonlyMap<string, string> = new Map([
  ...each("USER ROLE DEFAULT", account),
  ...each("DEFINER", "Views and programs belong to the account that creates them: leave it out."),
  ...each("AGGREGATE PACKAGE LIBRARY", library),
  ...each("PREPARE", prepared),
  ...each("SERVER TABLESPACE UNDO LOGFILE RESOURCE REFERENCE INSTANCE MASKING", administration),
  ...each("PLACEMENT BINDING GLOBAL SESSION STATISTICS STATS RANGE CATALOG", administration),
]);

const queries: ReadonlySet<Verb> = new Set([
  "SELECT",
  "TABLE",
  "VALUES",
  "SHOW",
  "DESCRIBE",
  "EXPLAIN",
  "ANALYZE",
]);

/**
 * @returns whether a statement only reads, perhaps with row locks. If the gateway breaks it off, nothing
 *   remains in the database. So the limits on an answer apply to it.
 */
export function isQuery(verb: Verb): boolean {
  return queries.has(verb);
}

function each(words: string, message: string): [string, string][] {
  return words.split(" ").map((word) => [word, message]);
}
