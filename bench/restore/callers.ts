import mysql from "mysql2/promise";
import { NodeWire } from "../../cli/node/node-wire.ts";
import { connectionOptions } from "../../servers/database/connection.ts";
import type { Link } from "../../src/db/links/link.ts";
import { dialectOf } from "../../src/db/mysql/engines/dialect-of.ts";
import { firstAttempt } from "../../src/db/mysql/session/login.ts";
import { Session } from "../../src/db/mysql/session/session.ts";
import { WarnedStatements } from "../../src/db/mysql/session/warned-statements.ts";
import type { Backends } from "../lib/backends.ts";
import { policyFor } from "../lib/backends.ts";
import { restoreWithMysql2 } from "../lib/mysql2-restore.ts";
import { analystOf, countrySql } from "../lib/variants.ts";
import { countryWork } from "../workers/work.ts";
import type { Kind } from "./report.ts";

/** A connection, and the steps that its only caller repeats. */
export interface Caller {
  /** Resolves with the answer's last row. */
  ask(): Promise<void>;
  /** The work that is needed before another caller may use the connection. */
  restore(): Promise<void>;
  close(): unknown;
}

/** Opens a connection of a kind. @param port of the proxy */
export async function openCaller(kind: Kind, backends: Backends, port: number): Promise<Caller> {
  if (kind === "sequential") return await openSequential(backends, port);
  const session = await openSession(backends, port);
  const work = countryWork(countrySql());
  const hot = kind === "hot" ? [work] : [];
  return {
    async ask() {
      let rows = 0;
      const row = () => {
        rows += 1;
      };
      await session.run(work, { columns() {}, row, values: row, answered() {} });
      expectOne(rows);
    },
    async restore() {
      if (kind === "none") return;
      const refused = await session.restore(hot);
      if (refused.length > 0) throw new Error("the server did not prepare the statement");
    },
    close: () => session.close(),
  };
}

/** The gateway's session, over the link that scripts use. */
export async function openSession(backends: Backends, port: number): Promise<Session> {
  const { cluster, account } = analystOf(policyFor(backends, port), backends);
  const trust = { ca: backends.pki.ca, tlsMin: "TLSv1.2", tlsMax: "TLSv1.3" } as const;
  const link: Link = {
    async dial(host) {
      const wire = new NodeWire(host, trust);
      await wire.dial();
      return wire;
    },
  };
  const opening = { ...firstAttempt(cluster), warned: new WarnedStatements() };
  return await Session.open(link, cluster, account, opening);
}

/** A connection of mysql2's own. */
async function openSequential({ server, sample, passwords }: Backends, port: number): Promise<Caller> {
  const connection = await mysql.createConnection({
    ...connectionOptions({ ...server, port }, sample.analyst.user, passwords.analyst),
    database: sample.database,
    // The same settings as the gateway's driver, so that each row takes the same work.
    supportBigNumbers: true,
    bigNumberStrings: true,
    dateStrings: true,
    jsonStrings: true,
  });
  const sql = countrySql();
  const restore = await restoreWithMysql2(connection, dialectOf(server), sample.database);
  return {
    async ask() {
      const [rows] = await connection.execute({ sql, rowsAsArray: true }, ["US"]);
      expectOne((rows as unknown[]).length);
    },
    restore,
    close: () => connection.end(),
  };
}

function expectOne(rows: number): void {
  if (rows !== 1) throw new Error(`the answer has ${rows} rows instead of one`);
}
