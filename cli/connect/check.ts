import { X509Certificate } from "node:crypto";
import type { Authority } from "../../src/config/config.ts";
import type { Credential } from "../../src/db/mysql/auth-plugins/authentication.ts";
import type { ConnectionOptions } from "../../src/db/mysql/driver/driver.ts";
import { command, createConnection } from "../../src/db/mysql/driver/driver.ts";
import { dialectOf } from "../../src/db/mysql/engines/dialect-of.ts";
import { engineOf } from "../../src/db/mysql/engines/identity.ts";
import { beyondReading, privilegeQuery } from "../../src/db/mysql/engines/privileges.ts";
import { proofQuery } from "../../src/db/mysql/engines/proof.ts";
import { limits } from "../../src/limits.ts";
import { clean, TimeoutError } from "../node/connection-errors.ts";
import type { Trust } from "../node/node-wire.ts";
import { NodeWire } from "../node/node-wire.ts";
import { RustlsNodeWire } from "../node/rustls-wire.ts";
import type { Failure } from "./attempt.ts";
import { describeFailure } from "./failures.ts";
import type { HostPort } from "./strings/parse.ts";

/** Logs in once, over verified TLS, with the gateway's own driver, and reports what it found. */

export interface CheckOptions extends Trust {
  ca: string | undefined;
  host: HostPort;
  user: string;
  credential: Credential;
  /** Whether the login shows a token, which only TiDB takes. */
  showsToken: boolean;
  database: string;
  timeoutMs: number;
}

export interface Found {
  engine: "mysql" | "mariadb" | "tidb";
  version: string;
  protocol: string;
  cipher: string;
  certificate: X509Certificate;
  /**
   * The link that the configuration will have. The check itself uses the engine of rustls, or for platform
   * Node's TLS.
   */
  link: "platform" | "rustls";
  /** USER() */
  login: string;
  /** CURRENT_USER() */
  account: string;
  /** Whether the server maps the login to another account (proxy users). */
  proxied: boolean;
  database: string | null;
  /**
   * The rights beyond reading that TiDB gives the login; undefined if there are none, and on other servers,
   * which are not asked.
   */
  surplus: string | undefined;
}

/** @returns what was found, or the reason of the failure */
export async function checkConnection(options: CheckOptions): Promise<Found | Failure> {
  const { host, ca } = options;
  const wire =
    ca === undefined ? new NodeWire(host, options) : new RustlsNodeWire(host, options, authoritiesIn(ca));
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new TimeoutError("time is up")), options.timeoutMs);
  try {
    return await Promise.race([look(wire, options), late]);
  } catch (error) {
    return describeFailure(wire.step, error, {
      ...options.host,
      user: options.user,
      database: options.database,
      tokenFor: options.showsToken ? clean(wire.serverVersion) : undefined,
      ownCa: options.ca !== undefined,
      timeoutMs: options.timeoutMs,
    });
  } finally {
    clearTimeout(timer);
    wire.destroy();
  }
}

async function look(wire: NodeWire, options: CheckOptions): Promise<Found> {
  await wire.dial();
  const connection = await logIn(wire, {
    hostname: options.host.hostname,
    user: options.user,
    credential: options.credential,
    database: options.database,
  });
  wire.step = "database";
  const engine = engineOf(wire.serverVersion);
  const dialect = dialectOf({ engine });
  const proof = (await command(connection, proofQuery(dialect))) as Record<string, string | null>[];
  const [login, account, proxyUser] = Object.values(proof[0] ?? {});
  const current = (await command(connection, "SELECT DATABASE() AS current")) as { current: string | null }[];
  const surplus = dialect.asksPrivileges
    ? beyondReading((await command(connection, privilegeQuery)) as Record<string, string | null>[])
    : undefined;
  const { agreed } = wire;
  // Say goodbye: without it the server counts an aborted client.
  await new Promise<void>((resolve) => connection.end(resolve));
  if (agreed === undefined) throw new Error("TLS was not open");
  return {
    engine,
    version: wire.serverVersion,
    ...agreed,
    link: options.ca === undefined ? "platform" : "rustls",
    login: String(login),
    account: String(account),
    proxied: proxyUser !== null,
    database: current[0]?.current ?? null,
    surplus: surplus === undefined ? undefined : clean(surplus),
  };
}

async function logIn(wire: NodeWire, options: ConnectionOptions) {
  return await new Promise<ReturnType<typeof createConnection>>((resolve, reject) => {
    const connection = createConnection(wire, options);
    connection.once("connect", () => resolve(connection));
    // The wire's own error is more exact than the driver's.
    connection.on("error", (error: Error) => reject(wire.step === "tls" ? (error.cause ?? error) : error));
    wire.once("close", () => reject(new Error("the server closed the connection during the login")));
    wire.start();
  });
}

const verifiers = {
  rustls: "rustls, as the gateway's link does",
  platform: "Node; on Cloudflare workerd verifies, against its own public CAs",
};

const dayMs = 86_400_000;

/** @returns the lines that `npm run connect` prints for a connection that works */
export function foundLines(found: Found, { host, ca }: { host: HostPort; ca: string | undefined }): string[] {
  const { certificate } = found;
  const authorities = ca === undefined ? [] : certificates(ca).map((pem) => new X509Certificate(pem));
  const rows: [string, string][] = [
    ["server", `${host.hostname}:${host.port}, ${found.engine} ${clean(found.version)}`],
    ["verified by", verifiers[found.link]],
    ["protocol", found.protocol],
    ["cipher", found.cipher],
    ["certificate", oneLine(certificate.subject)],
    ["issuer", oneLine(certificate.issuer)],
    ["valid until", validity(certificate)],
    ...authorities.map((authority): [string, string] => [
      "CA",
      `${oneLine(authority.subject)}, ${validity(authority)}`,
    ]),
    ["USER()", clean(found.login)],
    ["CURRENT_USER()", clean(found.account)],
    ["DATABASE()", clean(found.database ?? "NULL")],
  ];
  return rows.map(([name, value]) => `  ${name.padEnd(15)} ${value}`);
}

function oneLine(name: string | undefined): string {
  return clean((name ?? "").split("\n").join(", ")) || "(no name)";
}

/** @returns the last day and the number of days left, with a warning if there are few */
export function validity({ validToDate }: { validToDate: Date }, nowMs = Date.now()): string {
  const days = Math.floor((validToDate.getTime() - nowMs) / dayMs);
  const text = `${validToDate.toISOString().slice(0, 10)}, ${days} days left`;
  return days < limits.certificateWarningDays ? `${text} - WARNING: renew it soon` : text;
}

/** @param ca the output of readAuthorities */
function authoritiesIn(ca: string): Authority[] {
  return certificates(ca).map((pem) => {
    const { subject, validFromDate, validToDate } = new X509Certificate(pem);
    return { pem, subject, notBefore: validFromDate.toISOString(), notAfter: validToDate.toISOString() };
  });
}

/** @returns the PEM blocks of certificates, one by one */
export function certificates(pem: string): string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
}

/**
 * @returns only the certificates of a CA file
 * @throws Error with the reason if it is not a CA file
 */
export function readAuthorities(pem: string): string {
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem))
    throw new Error("has a private key in it: give the CA's certificate alone, and keep the key where it is");
  const blocks = certificates(pem);
  if (blocks.length === 0)
    throw new Error(
      "has no PEM certificate (-----BEGIN CERTIFICATE-----): convert it, or download it as PEM",
    );
  const parsed = blocks.map((block) => {
    try {
      return new X509Certificate(block);
    } catch {
      throw new Error("has a certificate that cannot be read: download it again");
    }
  });
  if (!parsed.every(({ ca }) => ca))
    throw new Error("has a certificate that is no CA's (a server's, perhaps): give the one that issued it");
  return `${blocks.map((block) => block.replace(/\r/g, "")).join("\n")}\n`;
}
