import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../cli/project/paths.ts";
import type { Engine } from "../servers/database/server.ts";
import { ensurePki } from "../servers/pki.ts";
import { startCountingProxy } from "../servers/wire/proxy.ts";
import { Database, makeLedger, readLedger } from "./database.ts";
import type { Victims } from "./faults.ts";
import { soakAccounts, startSoakGateway } from "./gateway.ts";
import type { Tables } from "./oracle.ts";

/** The folder for all files of a soak. */
export const soakDirectory = join(packageRoot, ".tidegate", "soak");

export interface World extends Victims {
  /** The balances before the first transfer. */
  opening: Tables["balances"];
  stop(): Promise<void>;
}

/** Starts the gateway, a proxy, and a server with the ledger. Requests take this way. */
export async function startWorld(engine: Engine, log: (line: string) => void): Promise<World> {
  mkdirSync(soakDirectory, { recursive: true });
  const pki = await ensurePki(join(soakDirectory, "pki"));
  const database = await Database.start({ engine, directory: join(soakDirectory, engine), pki, log });
  const password = () => randomBytes(24).toString("base64url");
  const secrets = Object.fromEntries(soakAccounts.map(({ secret }) => [secret, password()]));
  const administrator = await database.administrator();
  const logins = soakAccounts.map(({ user, secret }) => [user, secrets[secret] ?? ""]);
  await makeLedger(administrator, engine, Object.fromEntries(logins));
  const { balances } = await readLedger(administrator);
  await administrator.end();
  const proxy = await startCountingProxy({
    target: { host: "localhost", port: database.port, ca: pki.ca },
    certificate: pki.certificate,
    privateKey: pki.key,
  });
  const directory = join(soakDirectory, "gateway");
  const gateway = await startSoakGateway({
    directory,
    engine,
    port: proxy.port,
    caPath: pki.caPath,
    secrets,
  });
  log(`the gateway on ${gateway.url}`);
  return {
    database,
    proxy,
    gateway,
    opening: balances,
    async stop() {
      await gateway.close();
      await proxy.stop();
      await database.stop();
    },
  };
}
