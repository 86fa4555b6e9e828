import { setTimeout as sleep } from "node:timers/promises";
import { connectAdministrator } from "../../servers/database/connection.ts";
import type { Backends } from "./backends.ts";

type Ask = () => Promise<unknown>;

/** @returns how many restores the server saw meanwhile: a restore says USE, and nothing else does */
async function countRestores({ server }: Backends, ask: Ask): Promise<number> {
  const administrator = await connectAdministrator(server);
  const count = async () => {
    // The last restore comes after the answer.
    await sleep(200);
    const [rows] = await administrator.query("SHOW GLOBAL STATUS LIKE 'Com_change_db'");
    return Number((rows as { Value: string }[])[0]?.Value);
  };
  try {
    const before = await count();
    await ask();
    return (await count()) - before;
  } finally {
    await administrator.end();
  }
}

const requests = 10;

async function askTen(ask: Ask): Promise<void> {
  for (let i = 0; i < requests; i++) await ask();
}

/** @throws Error unless the server's own count of USE shows a restore after each request */
export async function expectRestoreEach(name: string, backends: Backends, ask: Ask): Promise<void> {
  const seen = await countRestores(backends, () => askTen(ask));
  if (seen !== requests)
    throw new Error(`the server saw ${seen} restores for ${requests} requests to ${name}`);
}

/** @throws Error when the server's own count of USE shows a restore */
export async function expectNoRestore(name: string, backends: Backends, ask: Ask): Promise<void> {
  const seen = await countRestores(backends, () => askTen(ask));
  if (seen > 0) throw new Error(`the server saw ${seen} restores by ${name}`);
}

/** Longer than the second that a gateway may run plain selects without a restore between them. */
const readMs = 1_500;

/**
 * What holds of a gateway, however it runs plain selects: a restore after each write, and one in each second of reads.
 * @throws Error when the server's own count of USE shows fewer
 */
export async function expectGatewayRestores(
  name: string,
  backends: Backends,
  { read, write }: Record<"read" | "write", Ask>,
): Promise<void> {
  const ofWrites = await countRestores(backends, () => askTen(write));
  if (ofWrites < requests)
    throw new Error(`the server saw ${ofWrites} restores for ${requests} writes to ${name}`);
  const ofReads = await countRestores(backends, async () => {
    const until = performance.now() + readMs;
    while (performance.now() < until) await read();
  });
  if (ofReads === 0) throw new Error(`the server saw no restore during ${readMs} ms of reads by ${name}`);
}
