import type { Connection, RowDataPacket } from "mysql2/promise";

/** @returns the server's ids of the connections that run a statement with this text, by its process list */
export async function idsRunning(administrator: Connection, text: string): Promise<unknown[]> {
  const [rows] = await administrator.query<RowDataPacket[]>("SHOW FULL PROCESSLIST");
  return rows.flatMap(({ Id, Info }) => (String(Info).includes(text) ? [Id] : []));
}

/** @returns how many statements with this text the server runs */
export async function countRunning(administrator: Connection, text: string): Promise<number> {
  return (await idsRunning(administrator, text)).length;
}
