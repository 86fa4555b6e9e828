import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { RowDataPacket } from "mysql2/promise";
import mysql from "mysql2/promise";
import { parse, stringify } from "smol-toml";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ServedWorker } from "../../../bench/lib/workerd.ts";
import { startWorkerd } from "../../../bench/lib/workerd.ts";
import { parseConnectionString } from "../../../cli/connect/strings/parse.ts";
import { durableObjects } from "../../../cli/project/environment.ts";
import { createSigningKey, mint } from "../../../servers/issuer/issuer.ts";
import { createAuthority } from "../../../servers/pki.ts";
import { which } from "../../../servers/run.ts";
import { policyIn } from "../support/operator.ts";
import type { Dedicated } from "./dedicated.ts";
import { startDedicated } from "./dedicated.ts";
import { tabs } from "./dialog-strings.ts";
import { readSteps } from "./steps.ts";

/**
 * docs/guides/links.md, TiDB Cloud Dedicated step by step: the test runs the lines of the page, in their order. It
 * replaces the cluster's address by that of a TiDB on this machine, the Worker on Cloudflare by the same
 * bundle on workerd, and the issuer's address by its key.
 */

const steps = readSteps(/^## TiDB Cloud Dedicated.*$/m);
const password = "A-LONG-RANDOM-PASSWORD";
const hasCurl = which("curl") !== undefined;

let dedicated: Dedicated;
let served: ServedWorker | undefined;
const key = await createSigningKey();

beforeAll(async () => {
  dedicated = await startDedicated();
  const root = await asRoot();
  await root.query("DROP USER IF EXISTS gw_reader");
  await root.query("CREATE DATABASE IF NOT EXISTS shop");
  await root.end();
});
afterAll(async () => {
  await served?.stop();
  await dedicated?.stop();
});

/** A block of a step, with this cluster's address. */
function block(step: number, language: string, index = 0): string {
  const found = steps[step]?.of(language)[index];
  if (found === undefined) throw new Error(`step ${step} of the page has no block ${index} of ${language}`);
  return found
    .replaceAll("tidb.abcdefgh.clusters.tidb-cloud.com", "localhost")
    .replace(/(?<=-P |localhost:)4000/, String(dedicated.server.port));
}

/**
 * Logs in by the line of the Connect dialog as `mysql` does: with its login and its version of TLS,
 * verified by its CA.
 */
async function asRoot(): Promise<mysql.Connection> {
  const parsed = parseConnectionString(block(1, "text"));
  if ("refusals" in parsed) throw new Error(parsed.refusals.join());
  const { hosts, user, database, caPath = "", tlsMin, tlsMax } = parsed.connection;
  return await mysql.createConnection({
    ...{ host: hosts[0].hostname, port: hosts[0].port, user, ...(database && { database }) },
    password: dedicated.server.administrator.password,
    ssl: {
      ca: readFileSync(join(dedicated.project.directory, caPath)),
      verifyIdentity: true,
      ...(tlsMin && { minVersion: tlsMin }),
      ...(tlsMax && { maxVersion: tlsMax }),
    },
  });
}

const config = () => join(dedicated.project.directory, "tidegate.toml");
const connect = (line: string, secret: string) =>
  dedicated.project.type(`${line} --write`, { TIDEGATE_PASSWORD: secret });

test("the page has six steps", () => {
  expect(steps.slice(1).map(({ title }) => title.slice(0, 2))).toEqual(["1.", "2.", "3.", "4.", "5.", "6."]);
});

test("1. the line logs in as root, over the TLS that it names", async () => {
  const root = await asRoot();
  const [rows] = await root.query<RowDataPacket[]>("SHOW STATUS LIKE 'Ssl_version'");
  expect(rows[0]?.Value).toBe("TLSv1.2");
  await root.end();
});

test("1. given to npm run connect as it is, it works, and root may do more than read", async () => {
  const untouched = readFileSync(config(), "utf8");
  const line = `npm run connect -- '${block(1, "text")}' --account reader`;
  const secret = { TIDEGATE_PASSWORD: dedicated.server.administrator.password };
  const { stdout, stderr } = await dedicated.project.type(line, secret);
  expect(stdout).toMatch(/protocol +TLSv1\.2\n/);
  expect(stderr).toMatch(/TiDB does not enforce READ ONLY.*more than read: it has GRANT ALL/);
  expect(readFileSync(config(), "utf8")).toBe(untouched);
});

test("2. the SQL makes the login, which is not let in without TLS", async () => {
  const root = await asRoot();
  for (const statement of block(2, "sql").split(/;\n?/).filter(Boolean)) await root.query(statement);
  await root.end();
  const { port } = dedicated.server;
  const clear = { host: "localhost", port, user: "gw_reader", password };
  await expect(mysql.createConnection(clear)).rejects.toThrow(/Access denied/);
  // The first login is root, as in Dedicated.
  const open = await mysql.createConnection({ ...clear, ...dedicated.server.administrator });
  await open.end();
});

test("3. npm run connect logs in and writes what the page says", async () => {
  const { status, stdout, stderr } = await connect(block(3, "sh"), password);
  expect(stderr).not.toContain("refused");
  expect(stdout).toMatch(/server +localhost:\d+, tidb \d/);
  expect(stdout).toMatch(/verified by +rustls, as the gateway's link does\n/);
  expect(stdout).toMatch(/protocol +TLSv1\.2\n/);
  expect(stdout).toMatch(/issuer +CN=A cluster's own CA\n/);
  expect(stdout).toMatch(/CURRENT_USER\(\) +gw_reader@%\n/);
  expect(stdout).toMatch(/DATABASE\(\) +shop\n/);
  expect(status).toBe(0);
  expect(parse(readFileSync(config(), "utf8"))).toMatchObject(parse(block(3, "toml")));
  const written = readFileSync(join(dedicated.project.directory, "ca", "production.pem"), "utf8");
  expect(written.trim()).toBe(dedicated.authority.certificate.trim());
});

describe("3. another line", () => {
  /** Without --write: the command shows the text that the page has. */
  async function shown(line: string): Promise<string> {
    const before = readFileSync(config(), "utf8");
    const { stdout } = await dedicated.project.type(line, { TIDEGATE_PASSWORD: password });
    expect(readFileSync(config(), "utf8")).toBe(before);
    return stdout;
  }

  test.each([
    ["with TLSv1.3", "--tls-version=TLSv1.3", ['- tls_max = "TLSv1.2"', '+ tls_max = "TLSv1.3"']],
    ["without --tls-version", "", ['- tls_min = "TLSv1.2"', '- tls_max = "TLSv1.2"']],
  ])("%s has TLS 1.3", async (_, option, changes) => {
    const line = block(3, "sh").replace('--tls-version="TLSv1.2"', option);
    expect(line).not.toContain("TLSv1.2");
    const stdout = await shown(line);
    expect(stdout).toMatch(/protocol +TLSv1\.3\n/);
    for (const change of changes) expect(stdout).toContain(change);
  });

  test.each(tabs)("of the tab $name is understood", async ({ text, namesCa }) => {
    const target = { host: "localhost", port: dedicated.server.port, user: "gw_reader", database: "shop" };
    writeFileSync(join(dedicated.project.directory, "string.txt"), text(target));
    const ca = namesCa ? "" : "--ca ca.pem";
    const stdout = await shown(`npm run connect -- --account reader ${ca} < string.txt`);
    expect(stdout).toContain("The connection works:");
    expect(stdout).toMatch(/issuer +CN=A cluster's own CA\n/);
    expect(stdout).toMatch(/USER\(\) +gw_reader@/);
  });
});

test("4. the policy is put in", () => {
  const { issuers = [], grants } = policyIn(block(4, "toml")) as { issuers?: object[]; grants?: unknown };
  const { cluster, accounts } = policyIn(readFileSync(config(), "utf8"));
  // The page's issuer has an address that does not exist here, so its keys come with the policy instead.
  const known = issuers.map(({ jwks_uri: _, ...issuer }: { jwks_uri?: string }) => ({
    ...issuer,
    jwks: { keys: [key.publicJwk] },
  }));
  const production = { cluster, accounts: { reader: accounts?.reader }, issuers: known, grants };
  writeFileSync(config(), stringify({ version: 1, env: { production } }));
});

test("4. from now on root is refused for the account", async () => {
  const before = readFileSync(config(), "utf8");
  const { status, stderr } = await connect(
    `npm run connect -- '${block(1, "text")}' --account reader`,
    dedicated.server.administrator.password,
  );
  expect(status).toBe(2);
  expect(stderr).toMatch(
    /The grants of "reader" only read\. .*GRANT ALL PRIVILEGES ON \*\.\*.*\nNothing was written\./,
  );
  expect(readFileSync(config(), "utf8")).toBe(before);
});

describe("5. and 6.", () => {
  test("the check finds nothing wrong, and what is deployed is bundled", async () => {
    const [check = "", deploy = ""] = block(5, "sh").split("\n");
    const checked = await dedicated.project.type(check);
    expect(checked.status, checked.stderr).toBe(0);
    expect(checked.stdout).toContain("production: good");
    // Nothing leaves this machine: the bundle is built, and workerd serves it with the secrets of the file.
    writeFileSync(join(dedicated.project.directory, "secrets.json"), block(5, "json"));
    const secrets: Record<string, string> = JSON.parse(block(5, "json"));
    expect(secrets).toEqual({ READER_PASSWORD: password });
    const directory = join(dedicated.project.directory, "bundle");
    const made = await dedicated.project.type(`${deploy} --dry-run --outdir bundle`);
    expect(made.status, made.stderr).toBe(0);
    const modules = readdirSync(directory).filter((file) => /\.(js|wasm)$/.test(file));
    modules.sort((a, b) => Number(b.endsWith(".js")) - Number(a.endsWith(".js")));
    served = await startWorkerd({
      directory: join(dedicated.project.directory, "served"),
      bundle: { directory, modules },
      // The runtime trusts another CA than the cluster's, so only the CA of the bundle can verify the
      // server.
      ca: (await createAuthority("A CA that nobody uses")).certificate,
      texts: { ENVIRONMENT: "production", ...secrets },
      objects: durableObjects,
    });
  });

  test.skipIf(!hasCurl)(
    "the gateway is ready, and SELECT DATABASE() answers what the page says",
    async () => {
      const { issuers = [] } = policyIn(block(4, "toml")) as {
        issuers?: { issuer: string; audience: string }[];
      };
      const [{ issuer: iss, audience: aud } = { issuer: "", audience: "" }] = issuers;
      const TOKEN = await mint(key, { iss, aud, sub: "someone" });
      const lines = block(6, "sh").split("\n");
      const answers = [];
      for (const line of lines) {
        const { stdout } = await dedicated.project.type(line, { GATEWAY: served?.url ?? "", TOKEN });
        answers.push(JSON.parse(stdout));
      }
      expect(answers).toEqual([{ status: "ready" }, JSON.parse(block(6, "json"))]);
      // The line pins this version.
      const asked = JSON.stringify({ sql: "SHOW SESSION STATUS LIKE 'Ssl_version'" });
      const line = lines[1]?.replace(/(?<= -d )'.*'$/, '"$BODY"') ?? "";
      const { stdout } = await dedicated.project.type(line, {
        GATEWAY: served?.url ?? "",
        TOKEN,
        BODY: asked,
      });
      expect(JSON.parse(stdout).rows).toEqual([{ Variable_name: "Ssl_version", Value: "TLSv1.2" }]);
    },
  );
});
