import type { EventEmitter } from "node:events";
import mysql from "mysql2";
import type { Wire } from "../../links/link.ts";
import type { BuiltIn, Credential, Responder } from "../auth-plugins/authentication.ts";
import { Authentication } from "../auth-plugins/authentication.ts";
import type { DriverCommand, PipelineConnection } from "./command-pipeline.ts";
import type { Announced } from "./prepared.ts";

/**
 * The slice of mysql2 that the gateway uses, and the only import of it. Its own typings describe Node's
 * sockets and promise wrappers; the parts needed here are classes that they do not show.
 */
interface Driver extends EventEmitter {
  query(sql: string, done: (error: ServerError | null, rows: unknown) => void): void;
  /** Without values nothing is replaced in the text; without typeCast rows are arrays of the server's bytes. */
  query(statement: { sql: string; rowsAsArray: true; typeCast: false }): ExecuteCommand;
  execute(statement: { sql: string; values: unknown[]; rowsAsArray: true }): ExecuteCommand;
  prepare(statement: { sql: string }, done: (error: ServerError | null, prepared: Announced) => void): void;
  reset(done: (error: ServerError | null) => void): void;
  /** Executes a command of our own, or one that was collected. */
  addCommand(command: DriverCommand): void;
  pause(): void;
  resume(): void;
  /** Sends COM_QUIT, then closes. */
  end(done: () => void): void;
}

/** @property collect the commands that `work` would have had executed; nothing is sent. */
export type Connection = Driver & { collect(work: () => void): DriverCommand[] };

/** Events: `fields` (Field[] or undefined), `result` (a row or a ResultHeader), `error` (ServerError), `end`. */
export interface ExecuteCommand extends EventEmitter {
  options?: { typeCast?: unknown };
}

export interface ServerError extends Error {
  errno?: number;
  sqlState?: string;
  sqlMessage?: string;
}

export interface ResultHeader {
  affectedRows: number;
  /** Of the server, after the statement (MySQL manual, SERVER_STATUS_flags_enum). */
  serverStatus: number;
}

/** A column definition; flags and types as in the MySQL manual, Protocol::ColumnDefinition41. */
export interface Field {
  name: string;
  columnType: number;
  flags: number | string[];
  characterSet: number;
  extendedFormat?: string;
}

export interface ConnectionOptions {
  hostname: string;
  user: string;
  credential: Credential;
  database: string;
  /** The wire is secure from its first byte on, and is not upgraded: Hyperdrive's. */
  secured?: boolean;
}

/** The driver's command that logs in: it has read the greeting, and asks its own methods what to answer. */
interface Handshake {
  handshake: { authPluginName: string | undefined; authPluginData1: Buffer; authPluginData2?: Buffer };
  canUseAuthMethodDirectly(): boolean;
  calculateAuthToken(): Buffer;
  initializeAuthPlugin(): void;
  sendCredentials(connection: unknown): void;
}

interface DriverInternals {
  sequenceId: number;
  stream: Wire;
  write(bytes: Buffer): void;
  config: { authPlugins?: unknown; enableCleartextPlugin?: boolean };
  _command: Handshake;
  _authPlugin: Responder;
  _statements: unknown;
}

/** A method of the driver's: made for a connection, of which it wants the password and whether there is TLS. */
type PluginFactory = (
  options: object,
) => (of: { connection: { config: object }; command: { password: string } }) => Responder;

interface Internals {
  Connection: new (options: { config: unknown }) => Driver & DriverInternals;
  authPlugins: Record<keyof BuiltIn, PluginFactory>;
  ConnectionConfig: new (options: Record<string, unknown>) => unknown;
  TypedParameter: {
    LONGLONG: ((value: string) => unknown) & { unsigned(value: string): unknown };
    NEWDECIMAL(value: string): unknown;
    DOUBLE(value: number): unknown;
  };
}

const { Connection: DriverConnection, ConnectionConfig, authPlugins } = mysql as unknown as Internals;
/** Values that are bound with a declared type. */
export const { TypedParameter } = mysql as unknown as Internals;

function builtIn(name: keyof BuiltIn): (password: string) => Responder {
  return (password) =>
    authPlugins[name]({})({ connection: { config: { password, ssl: true } }, command: { password } });
}

const builtInMethods: BuiltIn = {
  caching_sha2_password: builtIn("caching_sha2_password"),
  mysql_native_password: builtIn("mysql_native_password"),
};

/**
 * In the place of mysql2's own cache of prepared statements, which would close on the server, after a reset, what the
 * reset has dropped, by numbers that may be another statement's by then. PreparedStatements keeps them instead.
 */
const forgetful = { get: () => undefined, set() {}, delete() {}, clear() {} };

/**
 * A connection that upgrades to TLS by its wire (mysql2's own upgrade needs node:tls features that workerd
 * lacks) and lets our Authentication say what is sent to log in, with which method.
 */
class TlsConnection extends DriverConnection implements PipelineConnection {
  readonly #authentication: Authentication;
  // Not private names: mysql2's constructor calls the methods that look at them.
  declare private collected: DriverCommand[] | undefined;
  declare private pieces: Buffer[] | undefined;

  constructor(options: { config: unknown }, credential: Credential, secured: boolean) {
    super(options);
    this.#authentication = new Authentication(credential, builtInMethods);
    this._statements = forgetful;
    if (secured) this.#logInAtOnce(this._command);
  }

  collect(work: () => void): DriverCommand[] {
    const commands: DriverCommand[] = [];
    this.collected = commands;
    try {
      work();
    } finally {
      this.collected = undefined;
    }
    return commands;
  }

  override addCommand(command: DriverCommand): void {
    if (this.collected) this.collected.push(command);
    else super.addCommand(command);
  }

  writeTogether(work: () => void): void {
    const pieces: Buffer[] = [];
    this.pieces = pieces;
    try {
      work();
    } finally {
      this.pieces = undefined;
    }
    if (pieces.length > 0) this.write(Buffer.concat(pieces));
  }

  override write(bytes: Buffer): void {
    if (this.pieces) this.pieces.push(bytes);
    else super.write(bytes);
  }

  /** Without an upgrade the driver would go on with its own methods right after the greeting. */
  #logInAtOnce(command: Handshake): void {
    const send = command.sendCredentials.bind(command);
    command.sendCredentials = (connection) => {
      this.#takeOver(command);
      send(connection);
      this.config.authPlugins = this.#everyPlugin();
    };
  }

  startTLS(onSecure: (error?: Error) => void): void {
    this.stream
      .secure()
      .then(() => this.#takeOver(this._command))
      .then(
        () => {
          onSecure();
          // Set only now: for the first response mysql2 would pass over the methods that it finds here.
          this.config.authPlugins = this.#everyPlugin();
        },
        // The driver writes its own `code` onto the error that it is given.
        (cause: Error) => onSecure(new Error(cause.message, { cause })),
      );
  }

  /** The first response goes with the greeting's method; here it becomes the account's. */
  #takeOver(command: Handshake): void {
    const { authPluginName, authPluginData1, authPluginData2 } = command.handshake;
    const scramble = Buffer.concat([authPluginData1, authPluginData2 ?? Buffer.alloc(0)]).subarray(0, 20);
    const { plugin, response, more } = this.#authentication.begin(authPluginName, scramble);
    command.handshake.authPluginName = plugin;
    command.canUseAuthMethodDirectly = () => true;
    command.calculateAuthToken = () => response;
    command.initializeAuthPlugin = () => {
      this._authPlugin = more;
    };
    // What mysql2 would allow; whether the account does has been asked.
    this.config.enableCleartextPlugin = plugin === "mysql_clear_password";
  }

  /** Whatever method the server switches to, mysql2 finds it here and none of its own. */
  #everyPlugin(): unknown {
    const make = (name: string) => () => this.#authentication.switchTo(name);
    return new Proxy(
      {},
      {
        get: (_, name) => make(String(name)),
        getOwnPropertyDescriptor: (_, name) => ({ configurable: true, value: make(String(name)) }),
      },
    );
  }
}

/** @returns a connection that logs in as soon as `wire.start()` shows it the greeting. */
export function createConnection(wire: Wire, options: ConnectionOptions): Connection {
  const config = new ConnectionConfig({
    stream: () => wire,
    host: options.hostname,
    user: options.user,
    database: options.database,
    charset: "UTF8MB4_UNICODE_CI",
    // Its presence demands TLS: a server that does not offer it is refused before the user name is sent.
    ...(options.secured ? {} : { ssl: { rejectUnauthorized: true } }),
    // A token is longer than the 255 bytes that a response may have without the second one.
    flags: ["-LOCAL_FILES", "PLUGIN_AUTH_LENENC_CLIENT_DATA"],
    connectTimeout: 0,
    enableKeepAlive: false,
    disableEval: true,
    trace: false,
    supportBigNumbers: true,
    bigNumberStrings: true,
    dateStrings: true,
    jsonStrings: true,
    // The cache is not used, and would take half a megabyte when it is made.
    maxPreparedStatements: 1,
  });
  return new TlsConnection({ config }, options.credential, options.secured ?? false);
}

/**
 * Writes a string as SQL does, with its quotes. True only for a session whose sql_mode has no
 * NO_BACKSLASH_ESCAPES and whose character set is utf8mb4.
 */
export function escapeString(text: string): string {
  return mysql.escape(text);
}

/** Runs a command of the gateway's own, by the text protocol. @returns its rows. @throws ServerError */
export async function command(connection: Connection, sql: string): Promise<unknown> {
  return await new Promise((resolve, reject) => {
    connection.query(sql, (error, rows) => (error ? reject(error) : resolve(rows)));
  });
}
