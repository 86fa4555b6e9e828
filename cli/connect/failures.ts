import { PluginRefusedError } from "../../src/db/mysql/auth-plugins/authentication.ts";
import { loginError } from "../../src/db/mysql/engines/errors.ts";
import { engineOf } from "../../src/db/mysql/engines/identity.ts";
import type { ErrorCode } from "../../src/errors.ts";
import type { Step } from "../node/connection-errors.ts";
import { clean, GreetingError, NoTlsError, TimeoutError } from "../node/connection-errors.ts";
import type { Attempt, Failure } from "./attempt.ts";
import { tlsFailure } from "./tls-failures.ts";

/** Every way in which a connection can fail, as one line: the step, the cause, and what to check. Pure. */

/** @returns one line */
export function failureLine({ step, cause, check }: Failure): string {
  return `Failed at ${step}: ${cause}. Check ${check}.`;
}

/** @param step the step that failed @param error the error from Node or the driver */
export function describeFailure(step: Step, error: unknown, attempt: Attempt): Failure {
  if (error instanceof TimeoutError) return timedOut(step, attempt);
  switch (step) {
    case "dns":
    case "dial":
      return dialFailure(error, attempt);
    case "greeting":
      return greetingFailure(error, attempt);
    case "tls":
      return tlsFailure(error, attempt);
    default:
      return loginFailure(step, error, attempt);
  }
}

function timedOut(step: Step, attempt: Attempt): Failure {
  const seconds = `${attempt.timeoutMs} ms`;
  const address = show(attempt);
  const lines: Record<Step, [string, string]> = {
    dns: [`the name ${attempt.hostname} was not resolved within ${seconds}`, "this machine's name servers"],
    dial: [
      `${address} did not answer within ${seconds}`,
      "the port, the server's firewall or list of allowed addresses, and that the address is a public one",
    ],
    greeting: [
      `${address} took the connection and did not greet within ${seconds}`,
      "that a MySQL server listens on this port, not a proxy that waits or a server that is overloaded",
    ],
    tls: [
      `${address} did not finish the TLS handshake within ${seconds}`,
      "the server's load, and that nothing between here and it holds back large packets (MTU)",
    ],
    login: [`${address} did not answer the login within ${seconds}`, "the server's load and its error log"],
    database: [`${address} did not answer a query within ${seconds}`, "the server's load"],
  };
  const [cause, check] = lines[step];
  return { step, cause, check };
}

function dialFailure(error: unknown, attempt: Attempt): Failure {
  const { code = "", syscall } = error as NodeJS.ErrnoException;
  if (syscall === "getaddrinfo" || ["ENOTFOUND", "EAI_AGAIN", "ENODATA"].includes(code)) {
    return code === "EAI_AGAIN"
      ? {
          step: "dns",
          cause: `the name server did not answer for ${attempt.hostname} (${code})`,
          check: "this machine's network and name servers, then try again",
        }
      : {
          step: "dns",
          cause: `there is no address for ${attempt.hostname} (${code || "not found"})`,
          check: "the host's spelling, and that the name is a public one",
        };
  }
  if (code === "ECONNREFUSED") {
    return {
      step: "dial",
      cause: `nobody listens on ${show(attempt)} (${code})`,
      check:
        "the port (3306, on TiDB 4000), that the server runs, and that it listens on more than localhost",
    };
  }
  return {
    step: "dial",
    cause: `no connection to ${show(attempt)} (${code || clean(error)})`,
    check: "the address, the route to it, and the firewall",
  };
}

function greetingFailure(error: unknown, attempt: Attempt): Failure {
  const step = "greeting";
  if (error instanceof NoTlsError) {
    return {
      step: "tls",
      cause: `${show(attempt)} offers no TLS`,
      check:
        "the server's ssl_cert and ssl_key (on MariaDB also have_ssl): the gateway never logs in without TLS",
    };
  }
  const errno = error instanceof GreetingError ? error.errno : undefined;
  if (errno === 1040 || errno === 1203) {
    return {
      step,
      cause: `the server has too many connections (error ${errno}: ${clean(error)})`,
      check: "max_connections, and who holds them (SHOW PROCESSLIST)",
    };
  }
  if (errno === 1130 || errno === 1129) {
    return {
      step,
      cause: `the server does not talk to this address (error ${errno}: ${clean(error)})`,
      check:
        errno === 1129
          ? "that the block is ended (FLUSH HOSTS)"
          : "from which hosts the login may come (CREATE USER 'name'@'%'), and a list of allowed addresses",
    };
  }
  if (errno !== undefined) {
    return {
      step,
      cause: `the server refused instead of greeting (error ${errno}: ${clean(error)})`,
      check: "the server's error log",
    };
  }
  const what = error instanceof GreetingError ? error.message : `lost the connection (${clean(error)})`;
  return {
    step,
    cause: `${show(attempt)} ${what}`,
    check: "that this is the port of a MySQL server, and the list of allowed addresses before it",
  };
}

/** What to check for each code that a login can end with. The gateway's own log uses the same codes. */
const loginChecks: Partial<Record<ErrorCode, string>> = {
  database_login_failed:
    "user and password, the host that the login may come from, and that no certificate is demanded of it (REQUIRE X509); on TiDB Cloud the user begins with the cluster's prefix",
  database_connections_exhausted: "max_connections and the login's own limits",
  database_host_denied: "from which hosts the login may come",
  database_account_locked: "ALTER USER .. REQUIRE SSL ACCOUNT UNLOCK",
  database_login_expired: "the password's age: ALTER USER .. IDENTIFIED BY a new one REQUIRE SSL",
  database_auth_unsupported: "the login's authentication plugin (docs/guides/accounts.md)",
  database_identity_wrong:
    "that the server is the MySQL, MariaDB or TiDB that its version says, and does not let everybody in (skip-grant-table)",
  database_missing: "the database's name and that the login has a privilege on it (SHOW GRANTS)",
  database_unreachable: "the server's error log",
};

/** The claims that TiDB compares. It answers 1045 for every mistake in them. */
const tokenCheck =
  "that auth-token-jwks has the public key with its kid and alg, that TOKEN_ISSUER and the e-mail of the user's ATTRIBUTE are those of --token-issuer and --token-email, and both clocks; TiDB's log says what it found";

function loginFailure(step: Step, error: unknown, { user, database, tokenFor }: Attempt): Failure {
  if (tokenFor !== undefined && engineOf(tokenFor) !== "tidb") {
    const cause = `the server is ${tokenFor}, and only TiDB takes tokens`;
    return { step: "login", cause, check: "the address, or leave out --token-key and give a password" };
  }
  const inner = error instanceof Error && error.cause instanceof PluginRefusedError ? error.cause : error;
  if (inner instanceof PluginRefusedError)
    return {
      step: "login",
      cause: inner.problem,
      check: `the login's authentication plugin: ${inner.remedy}`,
    };
  const known = error as Error & { errno?: number };
  const { code } = loginError(known);
  const number = known.errno === undefined ? "" : `error ${known.errno}: `;
  const failed = step === "database" ? "the login's first query failed" : `no login as ${clean(user)}`;
  const what = code === "database_missing" ? `no database ${clean(database)}` : failed;
  return {
    step: code === "database_missing" ? "database" : step,
    cause: `${what} (${number}${clean(error)})`,
    check:
      step === "database" && code === "database_login_failed"
        ? "that the server is MySQL, MariaDB or TiDB, and its error log"
        : tokenFor !== undefined && code === "database_login_failed"
          ? tokenCheck
          : (loginChecks[code] ?? "the server's error log"),
  };
}

function show({ hostname, port }: Attempt): string {
  return `${hostname}:${port}`;
}
