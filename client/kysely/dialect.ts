import type { DatabaseIntrospector, Dialect, DialectAdapter, Driver, Kysely, QueryCompiler } from "kysely";
import { MysqlAdapter, MysqlIntrospector, MysqlQueryCompiler } from "kysely";
import type { ClientOptions } from "../create-client.ts";
import { TidegateDriver } from "./driver.ts";

/**
 * Executes Kysely's queries on the gateway. It is made with the options of createClient:
 * `new Kysely<Tables>({ dialect: new TidegateDialect({ url, token }) })`.
 */
export class TidegateDialect implements Dialect {
  readonly #options: ClientOptions;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  createDriver(): Driver {
    return new TidegateDriver(this.#options);
  }

  createQueryCompiler(): QueryCompiler {
    return new MysqlQueryCompiler();
  }

  createAdapter(): DialectAdapter {
    return new TidegateAdapter();
  }

  // biome-ignore lint/suspicious/noExplicitAny: as Kysely's interface has it
  createIntrospector(db: Kysely<any>): DatabaseIntrospector {
    return new MysqlIntrospector(db);
  }
}

class TidegateAdapter extends MysqlAdapter {
  /** GET_LOCK would end with its statement, and two migrations could run side by side. */
  override async acquireMigrationLock(): Promise<void> {
    throw new TypeError("The gateway holds no lock for a migration: migrate on the database itself.");
  }
}
