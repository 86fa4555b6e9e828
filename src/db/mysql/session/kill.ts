/** How a session's work is stopped, from another connection. */
export interface Kill {
  sql: string;
  /** The session is of no use after it. */
  endsConnection: boolean;
}

/**
 * KILL QUERY ends what the server executes at that moment. It would then go on with what was sent behind it, so where more
 * is on its way the connection is ended.
 * @param connectionId as the session's latest proof read it
 * @param owedWork how many commands are not answered that may change something (`Replies.owedWork`)
 */
export function killOf(connectionId: string, owedWork: number): Kill {
  const endsConnection = owedWork > 1;
  return { sql: `KILL ${endsConnection ? "CONNECTION" : "QUERY"} ${connectionId}`, endsConnection };
}
