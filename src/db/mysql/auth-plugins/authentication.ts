import type { AuthPlugin } from "../../../config/schema.ts";
import { authPlugins } from "../../../config/schema.ts";
import { signNonce } from "./ed25519.ts";

/** Answers the server's data; null when there is nothing to say. */
export type Responder = (data: Buffer) => Buffer | null;

/** The driver's own methods, as factories of responders. */
export interface BuiltIn {
  caching_sha2_password(password: string): Responder;
  mysql_native_password(password: string): Responder;
}

/** How an account shows who it is. */
export interface Credential {
  /** A password, or a token in its place. */
  password: string;
  /** The method to begin with; the one of the server's greeting where it is left out. */
  plugin: AuthPlugin | undefined;
  /** Whether the password may be sent as it is to a server that asks for that (mysql_clear_password). */
  cleartext: boolean;
}

/** The server wants a method that the gateway does not have or the account does not allow. For the operator. */
export class PluginRefusedError extends Error {
  /** What the server asks for, and why that is refused. */
  readonly problem: string;
  /** What the operator can do. */
  readonly remedy: string;
  constructor(plugin: string, why: string, remedy: string) {
    const problem = `the server asks for the authentication plugin ${plugin}, ${why}`;
    super(`${problem}; ${remedy}`);
    this.name = "PluginRefusedError";
    this.problem = problem;
    this.remedy = remedy;
  }
}

/** Our own part of a login failed, such as a signature: that says nothing about the server. */
export class ResponseError extends Error {
  constructor(cause: unknown) {
    // The cause's words may quote the password.
    super(`no answer could be made: ${cause instanceof Error ? cause.name : typeof cause}`);
    this.name = "ResponseError";
  }
}

/** A greeting names the server's default, before the server knows who logs in. */
const inGreeting = "; where the user has one of them, name it as the account's plugin";

/** What a server that asks for one of these has besides. */
const alternatives: ReadonlyMap<string, string> = new Map([
  ["tidb_sm3_password", "caching_sha2_password, mysql_native_password or tidb_auth_token"],
  ["parsec", "ed25519 or mysql_native_password"],
]);

/**
 * One login's part in the conversation of MySQL's pluggable authentication (MySQL manual, "Authentication
 * Phase"): a first response, at most one change of the method, and nothing that is not asked for. It runs
 * inside verified TLS, so methods that send the password (sha256_password, and caching_sha2_password when the
 * server has it not cached) send it to the server that the certificate names.
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
   * @param greeted the method that the server's greeting names; undefined from servers before 5.5
   * @param scramble the greeting's 20 bytes
   * @returns the method, its first response, and what answers further data of the server
   * @throws PluginRefusedError when the greeting's method is not ours and the account names no other
   */
  begin(
    greeted: string | undefined,
    scramble: Buffer,
  ): { plugin: AuthPlugin; response: Buffer; more: Responder } {
    const plugin = this.#credential.plugin ?? this.#allowed(greeted ?? "mysql_old_password", inGreeting);
    const more = this.#responder(plugin);
    // Its nonce has 32 bytes and comes with a switch to the very same method; the greeting has 20.
    if (plugin === "client_ed25519") return { plugin, response: Buffer.alloc(0), more: refuseMore };
    return { plugin, response: more(scramble) ?? Buffer.alloc(0), more };
  }

  /**
   * Answers a change of the method (Protocol::AuthSwitchRequest).
   * @throws PluginRefusedError before anything of the credential is used
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
        // A plain Error is what a method says of the server's data.
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

/** The server chose the name, and it goes to the log. */
function readable(name: string): string {
  if (name === "") return "mysql_old_password";
  return /^[\w-]{1,64}$/.test(name) ? name : "with a name that cannot be shown";
}
