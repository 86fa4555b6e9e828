/** A statement that the server has prepared on this connection, with the definitions that it sent. */
export interface Prepared {
  readonly id: number;
  parameters: { columnType: number }[];
  /** Sends COM_STMT_CLOSE, which has no answer. */
  close(): void;
}

/** A prepared statement with the columns of its result, if PREPARE announces them. */
export interface Announced extends Prepared {
  readonly columns: readonly unknown[];
}
