/** A statement that the server has prepared on this connection, with as many definitions as it has sent. */
export interface Prepared {
  readonly id: number;
  parameters: { columnType: number }[];
  /** COM_STMT_CLOSE, which has no answer. */
  close(): void;
}

/** A prepared statement with the columns that its result will have, as far as PREPARE announces them. */
export interface Announced extends Prepared {
  readonly columns: readonly unknown[];
}
