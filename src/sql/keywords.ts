/** Words that a statement may begin with, and what the caller is told about those that are never accepted. */
/** The main verb of an accepted statement: of `WITH .. UPDATE` it is UPDATE, of `DESC` DESCRIBE. */
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

/** Statements that the guard knows and never accepts, with the reason or the way to go. */
export const refused: ReadonlyMap<string, string> = new Map([
  ...each(
    "SET RESET DO HANDLER LOCK UNLOCK KILL",
    "The session belongs to the gateway, which gives it to others.",
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

/** What CREATE, ALTER and DROP may be about. */
export const schemaObjects: ReadonlySet<string> = new Set(
  "TABLE TABLES INDEX VIEW DATABASE SCHEMA SEQUENCE TRIGGER PROCEDURE FUNCTION EVENT".split(" "),
);

/** Objects that the guard knows and never accepts. */
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
 * @returns whether a statement only answers, though it may lock rows: giving it up leaves nothing behind, so that ceilings
 * on an answer hold for it.
 */
export function isQuery(verb: Verb): boolean {
  return queries.has(verb);
}

function each(words: string, message: string): [string, string][] {
  return words.split(" ").map((word) => [word, message]);
}
