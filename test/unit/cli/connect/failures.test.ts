import { describe, expect, test } from "vitest";
import { validity } from "../../../../cli/connect/check.ts";
import { describeFailure, failureLine } from "../../../../cli/connect/failures.ts";
import type { Step } from "../../../../cli/node/connection-errors.ts";
import { clean, TimeoutError } from "../../../../cli/node/connection-errors.ts";
import { LinkError } from "../../../../src/db/links/link.ts";
import { TlsFailure } from "../../../../src/db/links/tls-engine.ts";
import { PluginRefusedError } from "../../../../src/db/mysql/auth-plugins/authentication.ts";

/**
 * Failures that no test server can produce. test/gateway/links/connect.test.ts has the others, with real
 * servers.
 */

const attempt = { hostname: "h", port: 1, user: "u", database: "d", ownCa: true, timeoutMs: 7 };
const line = (step: Step, error: unknown, tokenFor?: string) =>
  failureLine(describeFailure(step, error, { ...attempt, tokenFor }));
const coded = (code: string, more = {}) => Object.assign(new Error("said"), { code, ...more });
const numbered = (errno: number) => Object.assign(new Error("said"), { errno });

describe("a login with a token", () => {
  const tidb = "8.0.11-TiDB-v8.5.3";

  test("that TiDB refuses: the facts that TiDB compares, because its error does not name them", () => {
    expect(line("login", numbered(1045), tidb)).toBe(
      "Failed at login: no login as u (error 1045: said). Check that auth-token-jwks has the public key with its kid and alg, that TOKEN_ISSUER and the e-mail of the user's ATTRIBUTE are those of --token-issuer and --token-email, and both clocks; TiDB's log says what it found.",
    );
  });

  test.each([numbered(1045), numbered(1044), new PluginRefusedError("dialog", "which", "remedy")])(
    "at a server that accepts no tokens",
    (error) => {
      expect(line("login", error, "9.7.4")).toBe(
        "Failed at login: the server is 9.7.4, and only TiDB takes tokens. Check the address, or leave out --token-key and give a password.",
      );
    },
  );

  test("with a missing database has nothing to do with the token", () => {
    expect(line("login", numbered(1049), tidb)).toMatch(
      /^Failed at database: no database d .*the database's name/,
    );
  });
});

test("a refused method is a whole sentence, with an alternative", () => {
  const refused = new PluginRefusedError(
    "tidb_sm3_password",
    "which is not supported",
    "let the user log in with another",
  );
  expect(line("login", refused)).toBe(
    "Failed at login: the server asks for the authentication plugin tidb_sm3_password, which is not supported. Check the login's authentication plugin: let the user log in with another.",
  );
});

describe("a failure", () => {
  test.each<[Step, unknown, RegExp]>([
    [
      "dns",
      coded("EAI_AGAIN", { syscall: "getaddrinfo" }),
      /^Failed at dns: the name server did not answer for h/,
    ],
    [
      "dial",
      coded("EHOSTUNREACH"),
      /^Failed at dial: no connection to h:1 \(EHOSTUNREACH\)\. Check the address/,
    ],
    [
      "tls",
      coded("ERR_SSL_WRONG_VERSION_NUMBER"),
      /^Failed at tls: .* sent clear text into the TLS handshake/,
    ],
    [
      "tls",
      coded("INVALID_CA"),
      /^Failed at tls: the server's certificate is not issued by the CA that was given/,
    ],
    ["tls", coded("ERR_SSL_OTHER"), /^Failed at tls: the handshake failed \(ERR_SSL_OTHER\)/],
    [
      "tls",
      new TlsFailure(
        "wrong_name",
        'certificate not valid for name "h"; certificate is only valid for DnsName("a.example"), IpAddress(192.0.2.1) or DnsName("b.example")',
      ),
      /^Failed at tls: the certificate is for another host than h \(it names: DNS:a\.example, IP Address:192\.0\.2\.1, DNS:b\.example\)\. Check/,
    ],
    ["tls", new TlsFailure("wrong_name", "certificate not valid for name"), /\(it names: none\)\. Check/],
    ["tls", new TlsFailure("clock", "said"), /^Failed at tls: this machine's clock is wrong \(said\)/],
    [
      "tls",
      new TlsFailure("certificate", "said"),
      /^Failed at tls: .* is refused \(said\)\. Check .*serverAuth/,
    ],
    ["tls", new TlsFailure("refused", "said"), /^Failed at tls: the server ended the handshake \(said\)/],
    [
      "tls",
      new LinkError("tls", "no CA is valid"),
      /^Failed at tls: no CA is valid\. Check the days of the CAs/,
    ],
    ["login", numbered(1040), /^Failed at login: .*error 1040.* Check max_connections/],
    ["login", numbered(1862), /^Failed at login: .*error 1862.* Check the password's age/],
    [
      "login",
      numbered(3118),
      /^Failed at login: .*error 3118.* Check ALTER USER \.\. REQUIRE SSL ACCOUNT UNLOCK/,
    ],
    ["login", numbered(1105), /^Failed at login: .*error 1105.* on TiDB Cloud the user begins with/],
    [
      "database",
      numbered(1193),
      /^Failed at database: the login's first query failed \(error 1193: said\)\. Check that/,
    ],
    ["database", numbered(1141), /^Failed at database: .*error 1141.* Check .*skip-grant-table\)\.$/],
    ["login", new Error("lost"), /^Failed at login: no login as u \(lost\)\. Check the server's error log/],
  ])("at %s: %s", (step, error, expected) => {
    expect(line(step, error)).toMatch(expected);
  });

  test.each<[Step, string]>([
    ["dns", "name servers"],
    ["dial", "firewall"],
    ["greeting", "did not greet within 7 ms"],
    ["tls", "MTU"],
    ["login", "did not answer the login"],
    ["database", "did not answer a query"],
  ])("that is a time-out at %s", (step, part) => {
    expect(line(step, new TimeoutError("late"))).toContain(part);
    expect(line(step, new TimeoutError("late"))).toMatch(
      new RegExp(`^Failed at ${step}: .* within 7 ms\\. Check `),
    );
  });

  test("is one line, for every message of a server", () => {
    const hostile = Object.assign(new Error(`a\nb\r\u001b[2Jc\u202e${"x".repeat(500)}`), { errno: 1045 });
    const said = line("login", hostile);
    expect(said).toContain("a b [2Jc");
    expect(said).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(said.length).toBeLessThan(500);
    expect(clean("plain words.")).toBe("plain words");
  });
});

describe("the validity of a certificate", () => {
  const now = Date.UTC(2026, 0, 1);
  const until = (days: number) => ({ validToDate: new Date(now + days * 86_400_000) });

  test("is given in days, with a warning below 30", () => {
    expect(validity(until(30), now)).toBe("2026-01-31, 30 days left");
    expect(validity(until(29.9), now)).toBe("2026-01-30, 29 days left - WARNING: renew it soon");
  });
});
