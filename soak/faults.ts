import { setTimeout as sleep } from "node:timers/promises";
import type { CountingProxy } from "../servers/wire/proxy.ts";
import { connectionsOf, type Database } from "./database.ts";
import type { SoakGateway } from "./gateway.ts";
import { soakAccounts } from "./gateway.ts";
import type { PlannedFault } from "./schedule.ts";

/** The parts that can get a fault. */
export interface Victims {
  database: Database;
  proxy: CountingProxy;
  gateway: SoakGateway;
}

/** Injects one fault. Resolves when it is over and every part runs again. */
export async function inject(fault: PlannedFault, { database, proxy, gateway }: Victims): Promise<void> {
  const { kind, forMs, size } = fault;
  switch (kind) {
    case "restart":
      await database.stop();
      await sleep(forMs);
      return await database.startAgain();
    case "crash":
      await database.kill();
      await sleep(forMs);
      return await database.startAgain();
    case "kill":
      return await killConnections(database, size);
    case "drop":
      return proxy.dropAll();
    case "black hole":
      proxy.blackHole(true);
      await sleep(forMs);
      return proxy.blackHole(false);
    case "delay":
      proxy.setDelayMs(size);
      await sleep(forMs);
      return proxy.setDelayMs(0);
    case "refuse":
      proxy.refuse(true);
      proxy.dropAll();
      await sleep(forMs);
      return proxy.refuse(false);
    case "evict":
      return await gateway.evict(gateway.pools[size % gateway.pools.length] ?? "");
  }
}

/** An administrator's KILL. @param percent of the gateway's connections, the oldest first */
async function killConnections(database: Database, percent: number): Promise<void> {
  const administrator = await database.administrator();
  try {
    const users = soakAccounts.map(({ user }) => user);
    const found = await connectionsOf(administrator, users);
    for (const { id } of found.slice(0, Math.ceil((found.length * percent) / 100))) {
      // The connection may have ended already (ER_NO_SUCH_THREAD).
      await administrator.query(`KILL ${id}`).catch((cause) => {
        if (cause.errno !== 1094) throw cause;
      });
    }
  } finally {
    administrator.destroy();
  }
}
