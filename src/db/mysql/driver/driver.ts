import type { EventEmitter } from "node:events";
import mysql from "mysql2";
import type { Wire } from "../../links/link.ts";
import type { BuiltIn, Credential, Responder } from "../auth-plugins/authentication.ts";
import { Authentication } from "../auth-plugins/authentication.ts";
import type { DriverCommand, PipelineConnection, ServerError, WrittenPacket } from "./command-pipeline.ts";
import type { Announced } from "./prepared.ts";

/**
 * The slice of mysql2 that the gateway uses, and its only import. mysql2's own typings describe Node's
 * sockets and promise wrappers. The gateway needs classes that the typings do not have.
 */
interface Driver extends EventEmitter {
  query(sql: string, done: (error: ServerError | null, rows: unknown) => void): void;
  /** Without values the text stays as it is. Without typeCast, rows are arrays of the server's bytes. */
  query(statement: { sql: string; rowsAsArray: true; typeCast: false }): TextCommand;
  prepare(statement: { sql: string }, done: (error: ServerError | null, prepared: Announced) => void): void;
  reset(done: (error: ServerError | null) => void): void;
  /** Executes a command: our own, or a collected one. */
  addCommand(command: DriverCommand): void;
  pause(): void;
  resume(): void;
  /** Sends COM_QUIT, then closes. */
  end(done: () => void): void;
}

/** @property collect returns the commands that `work` would execute. Nothing is sent. */
export type Connection = Driver & PipelineConnection & { collect(work: () => void): DriverCommand[] };

/**
 * Events: `fields` (Field[] or undefined), `result` (a row or ResultHeader), `error` (ServerError), `end`.
 */
export type TextCommand = EventEmitter & DriverCommand;

export type { ServerError } from "./command-pipeline.ts";

export interface ResultHeader {
  affectedRows: number;
  /** The server's status after the statement (MySQL manual, SERVER_STATUS_flags_enum). */
  serverStatus: number;
}

export interface ConnectionOptions {
  hostname: string;
  user: string;
  credential: Credential;
  database: string;
  /** The wire is already secure and is not upgraded. Hyperdrive's is such a wire. */
  secured?: boolean;
}

/** The driver's login command. It has read the greeting and calls its own methods for the response. */
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
  writePacket(packet: WrittenPacket): void;
  config: { authPlugins?: unknown; enableCleartextPlugin?: boolean; clientFlags: number };
  serverCapabilityFlags: number;
  _mariadbExtendedMetadata: boolean;
  _paused: boolean;
  _command: Handshake;
  _authPlugin: Responder;
  _statements: unknown;
}

/**
 * A factory of one of the driver's authentication methods. It takes the password and whether there is TLS.
 */
type PluginFactory = (
  options: object,
) => (of: { connection: { config: object }; command: { password: string } }) => Responder;

interface Internals {
  Connection: new (options: { config: unknown }) => Driver & DriverInternals;
  authPlugins: Record<keyof BuiltIn, PluginFactory>;
  ConnectionConfig: new (options: Record<string, unknown>) => unknown;
  CharsetToEncoding: readonly (string | undefined)[];
}

const { Connection: DriverConnection, ConnectionConfig, authPlugins } = mysql as unknown as Internals;

const { CharsetToEncoding } = mysql as unknown as Internals;

/** @returns the driver's name of a character set's encoding: "utf8", "binary" for bytes, or another one */
export function encodingOf(characterSet: number): string | undefined {
  return CharsetToEncoding[characterSet];
}

const queryAttributes = 2 ** 27;

function builtIn(name: keyof BuiltIn): (password: string) => Responder {
  return (password) =>
    authPlugins[name]({})({ connection: { config: { password, ssl: true } }, command: { password } });
}

const builtInMethods: BuiltIn = {
  caching_sha2_password: builtIn("caching_sha2_password"),
  mysql_native_password: builtIn("mysql_native_password"),
};

/**
 * Replaces mysql2's own cache of prepared statements. After a reset that cache would close statements that
 * the reset has dropped, and their ids may belong to other statements by then. PreparedStatements keeps the
 * statements instead.
 */
const forgetful = { get: () => undefined, set() {}, delete() {}, clear() {} };

/**
 * A connection that upgrades to TLS through its wire, because mysql2's own upgrade needs features of node:tls
 * that workerd lacks. Our Authentication chooses the login method and its data.
 */
class TlsConnection extends DriverConnection implements PipelineConnection {
  readonly #authentication: Authentication;
  // These are not private names, because mysql2's constructor calls methods that read them.
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

  get takesAttributes(): boolean {
    return (this.config.clientFlags & this.serverCapabilityFlags & queryAttributes) !== 0;
  }

  get isPaused(): boolean {
    return this._paused;
  }

  get hasExtendedMetadata(): boolean {
    return this._mariadbExtendedMetadata;
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

  /** Without an upgrade, the driver would answer the greeting with its own methods. */
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
          // Set after the first response: before it, mysql2 would ignore the methods that it finds here.
          this.config.authPlugins = this.#everyPlugin();
        },
        // The driver writes its own `code` on the error that it gets.
        (cause: Error) => onSecure(new Error(cause.message, { cause })),
      );
  }

  /** The driver's first response uses the greeting's method. This replaces it by the account's method. */
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
    // mysql2's own permission. Authentication has already checked the account's.
    this.config.enableCleartextPlugin = plugin === "mysql_clear_password";
  }

  /** If the server switches to another method, mysql2 finds that method here, and never one of its own. */
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

/** @returns a connection that logs in when `wire.start()` shows it the greeting. */
export function createConnection(wire: Wire, options: ConnectionOptions): Connection {
  const config = new ConnectionConfig({
    stream: () => wire,
    host: options.hostname,
    user: options.user,
    database: options.database,
    charset: "UTF8MB4_UNICODE_CI",
    // This option demands TLS: mysql2 refuses a server without TLS before it sends the user name.
    ...(options.secured ? {} : { ssl: { rejectUnauthorized: true } }),
    // Without PLUGIN_AUTH_LENENC_CLIENT_DATA, a response has at most 255 bytes. A token is longer.
    flags: ["-LOCAL_FILES", "PLUGIN_AUTH_LENENC_CLIENT_DATA"],
    connectTimeout: 0,
    enableKeepAlive: false,
    disableEval: true,
    trace: false,
    supportBigNumbers: true,
    bigNumberStrings: true,
    dateStrings: true,
    jsonStrings: true,
    // The cache is unused, and a larger one would take half a megabyte.
    maxPreparedStatements: 1,
  });
  return new TlsConnection({ config }, options.credential, options.secured ?? false);
}

/**
 * Writes a string as a SQL literal with quotes. This is correct only for a session with the character set
 * utf8mb4 and without NO_BACKSLASH_ESCAPES in its sql_mode.
 */
export function escapeString(text: string): string {
  return mysql.escape(text);
}

/** Runs a command of the gateway in the text protocol. @returns its rows. @throws ServerError */
export async function command(connection: Connection, sql: string): Promise<unknown> {
  return await new Promise((resolve, reject) => {
    connection.query(sql, (error, rows) => (error ? reject(error) : resolve(rows)));
  });
}
