/** A command for another connection that stops a session's work. */
export interface Kill {
  sql: string;
  /** Whether the session is unusable after it. */
  endsConnection: boolean;
}

/**
 * KILL QUERY ends only the statement that the server executes at that moment. The server would then continue
 * with the next commands on the way. So with further commands, KILL CONNECTION ends the connection.
 * @param connectionId from the session's latest proof
 * @param owedWork how many unanswered commands may change something (`ReplyTracker.owedWork`)
 */
export function killOf(connectionId: string, owedWork: number): Kill {
  const endsConnection = owedWork > 1;
  return { sql: `KILL ${endsConnection ? "CONNECTION" : "QUERY"} ${connectionId}`, endsConnection };
}
