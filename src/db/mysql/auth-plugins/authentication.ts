import type { AuthPlugin } from "../../../config/schema.ts";
import { authPlugins } from "../../../config/schema.ts";
import { signNonce } from "./ed25519.ts";

/** Answers data of the server; null for no answer. */
export type Responder = (data: Buffer) => Buffer | null;

/** The driver's own authentication methods, as factories of responders. */
export interface BuiltIn {
  caching_sha2_password(password: string): Responder;
  mysql_native_password(password: string): Responder;
}

/** An account's secret and how it may be sent. */
export interface Credential {
  /** A password, or a token in its place. */
  password: string;
  /** The first method to try; undefined for the method of the server's greeting. */
  plugin: AuthPlugin | undefined;
  /** Whether the password may be sent in the clear if the server asks for that (mysql_clear_password). */
  cleartext: boolean;
}

/** The server asks for a method that the gateway lacks or the account does not allow. For the operator. */
export class PluginRefusedError extends Error {
  /** The requested method and the reason for the refusal. */
  readonly problem: string;
  /** Advice for the operator. */
  readonly remedy: string;
  constructor(plugin: string, why: string, remedy: string) {
    const problem = `the server asks for the authentication plugin ${plugin}, ${why}`;
    super(`${problem}; ${remedy}`);
    this.name = "PluginRefusedError";
    this.problem = problem;
    this.remedy = remedy;
  }
}

/** Our own part of a login failed, such as a signature. This says nothing about the server. */
export class ResponseError extends Error {
  constructor(cause: unknown) {
    // The cause's message may quote the password.
    super(`no answer could be made: ${cause instanceof Error ? cause.name : typeof cause}`);
    this.name = "ResponseError";
  }
}

/** The greeting names the server's default method: the server does not know the user yet. */
const inGreeting = "; where the user has one of them, name it as the account's plugin";

/** Other methods of the servers that ask for one of these. */
const alternatives: ReadonlyMap<string, string> = new Map([
  ["tidb_sm3_password", "caching_sha2_password, mysql_native_password or tidb_auth_token"],
  ["parsec", "ed25519 or mysql_native_password"],
]);

/**
 * The client side of one login in MySQL's pluggable authentication (MySQL manual, "Authentication Phase"): a
 * first response, at most one change of the method, and no unasked data. It runs inside verified TLS. So
 * methods that send the password (sha256_password, and caching_sha2_password without a cached hash on the
 * server) send it only to the server that the certificate names.
 */
export class Authentication {
  readonly #credential: Credential;
  readonly #builtIn: BuiltIn;
  #switched = false;

  constructor(credential: Credential, builtIn: BuiltIn) {
    this.#credential = credential;
    this.#builtIn = builtIn;
  }

  /**
   * @param greeted the method in the server's greeting; undefined from servers before 5.5
   * @param scramble the greeting's 20 bytes
   * @returns the method, its first response, and a responder for further data of the server
   * @throws PluginRefusedError if the gateway lacks the greeting's method and the account names no other
   */
  begin(
    greeted: string | undefined,
    scramble: Buffer,
  ): { plugin: AuthPlugin; response: Buffer; more: Responder } {
    const plugin = this.#credential.plugin ?? this.#allowed(greeted ?? "mysql_old_password", inGreeting);
    const more = this.#responder(plugin);
    // The greeting has 20 bytes, but this method needs a nonce of 32. The server sends it with a switch to
    // the same method.
    if (plugin === "client_ed25519") return { plugin, response: Buffer.alloc(0), more: refuseMore };
    return { plugin, response: more(scramble) ?? Buffer.alloc(0), more };
  }

  /**
   * Answers a change of the method (Protocol::AuthSwitchRequest).
   * @throws PluginRefusedError before any use of the credential
   */
  switchTo(name: string): Responder {
    const plugin = this.#allowed(name);
    if (this.#switched) {
      const why = "after it had asked for another already";
      throw new PluginRefusedError(plugin, why, "no server of MySQL, MariaDB or TiDB does that");
    }
    this.#switched = true;
    return this.#responder(plugin);
  }

  #allowed(name: string, where = ""): AuthPlugin {
    const plugin = authPlugins.find((candidate) => candidate === name);
    if (plugin === undefined) {
      const others = alternatives.get(name);
      throw new PluginRefusedError(
        readable(name),
        "which is not supported",
        (others ? `let the user log in with ${others}` : `supported are ${authPlugins.join(", ")}`) + where,
      );
    }
    if (plugin === "mysql_clear_password" && !this.#credential.cleartext) {
      throw new PluginRefusedError(
        plugin,
        "which the account does not allow (cleartext = true)",
        "PAM and LDAP need it; a user of TiDB's tidb_auth_token needs a token instead of a password",
      );
    }
    return plugin;
  }

  #responder(plugin: AuthPlugin): Responder {
    const respond = this.#methodOf(plugin);
    return (data) => {
      try {
        return respond(data);
      } catch (cause) {
        // A method throws a plain Error for wrong data of the server.
        if (cause instanceof Error && cause.name === "Error") throw cause;
        throw new ResponseError(cause);
      }
    };
  }

  #methodOf(plugin: AuthPlugin): Responder {
    const { password } = this.#credential;
    switch (plugin) {
      case "caching_sha2_password":
      case "mysql_native_password":
        return this.#builtIn[plugin](password);
      case "client_ed25519":
        return once((nonce) => signNonce(password, nonce.subarray(0, 32)));
      case "sha256_password":
      case "mysql_clear_password":
        return once(() => Buffer.from(`${password}\0`, "utf8"));
    }
  }
}

function once(respond: Responder): Responder {
  let next = respond;
  return (data) => {
    const now = next;
    next = refuseMore;
    return now(data);
  };
}

function refuseMore(): never {
  throw new Error("the server asked again after it had been answered");
}

/** The server chose the name, and the name goes to the log. */
function readable(name: string): string {
  if (name === "") return "mysql_old_password";
  return /^[\w-]{1,64}$/.test(name) ? name : "with a name that cannot be shown";
}
