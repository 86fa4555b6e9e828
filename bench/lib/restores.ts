import { setTimeout as sleep } from "node:timers/promises";
import { connectAdministrator } from "../../servers/database/connection.ts";
import type { Backends } from "./backends.ts";

/**
 * Asks ten times. A restore says USE, and nothing else does.
 * @param restores whether each request must have a restore, or none
 * @throws Error when the server's own count of USE says something else
 */
export async function expectRestores(
  name: string,
  restores: boolean,
  { server }: Backends,
  ask: () => Promise<string>,
): Promise<void> {
  const administrator = await connectAdministrator(server);
  const count = async () => {
    // The last restore comes after the answer.
    await sleep(200);
    const [rows] = await administrator.query("SHOW GLOBAL STATUS LIKE 'Com_change_db'");
    return Number((rows as { Value: string }[])[0]?.Value);
  };
  try {
    const before = await count();
    const requests = 10;
    for (let i = 0; i < requests; i++) await ask();
    const seen = (await count()) - before;
    if (seen === (restores ? requests : 0)) return;
    throw new Error(`the server saw ${seen} restores for ${requests} requests to ${name}`);
  } finally {
    await administrator.end();
  }
}
