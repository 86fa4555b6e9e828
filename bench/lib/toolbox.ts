import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../cli/project/paths.ts";
import { launch } from "../../servers/child.ts";
import { freePort } from "../../servers/network.ts";
import { run } from "../../servers/run.ts";
import type { Backends } from "./backends.ts";
import type { LoadRequest, Series } from "./request.ts";
import { asSeries, sendOnce } from "./request.ts";
import type { Served } from "./workerd.ts";
import { serving } from "./workerd.ts";

/** Google's MCP Toolbox for Databases, another server that people put before a database. It is fetched on demand. */

const peerPackage = "@toolbox-sdk/server";
const peerVersion = "1.12.0";

/** The point select is a tool: a call of the Model Context Protocol over HTTP. */
const toolName = "country";

/**
 * Starts it with verified TLS, and with all else as it is by default: no token, no reset of a session, as many
 * connections as it wants.
 * @param sql with one placeholder
 */
export async function startToolbox(
  directory: string,
  { server, sample, passwords }: Backends,
  sql: string,
  log: (line: string) => void,
): Promise<Served> {
  const program = await fetchToolbox(log);
  const port = await freePort();
  const source = {
    kind: "source",
    name: sample.database,
    type: "mysql",
    // The certificate's name.
    host: "localhost",
    port: String(server.port),
    database: sample.database,
    user: sample.analyst.user,
    password: passwords.analyst,
    queryParams: { tls: "true" },
  };
  const tool = {
    kind: "tool",
    name: toolName,
    type: "mysql-sql",
    source: source.name,
    description: "One country",
    statement: sql,
    parameters: [{ name: "code", type: "string", description: "The country's code" }],
  };
  const configPath = join(directory, "tools.yaml");
  // JSON is YAML.
  const documents = [source, tool].map((document) => JSON.stringify(document));
  writeFileSync(configPath, `${documents.join("\n---\n")}\n`, { mode: 0o600 });
  const logPath = join(directory, "toolbox.log");
  const options = ["--port", String(port), "--disable-reload", "--disable-version-check"];
  const command = [program, "--config", configPath, ...options];
  const environment = { ...process.env, SSL_CERT_FILE: server.caPath };
  return await serving(await launch({ command, environment, logPath }), port, logPath);
}

/**
 * Asks for each country once. Every later answer must be equal to this one.
 * @throws Error if an answer is not the requested country
 */
export async function toolboxSeries(url: string, codes: readonly string[]): Promise<Series> {
  const requests: LoadRequest[] = [];
  for (const code of codes) {
    const params = { name: toolName, arguments: { code } };
    const request = {
      method: "POST",
      path: "/mcp",
      requestBody: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params }),
    } as const;
    const expectedAnswer = await sendOnce(url, request, {});
    if (codeIn(expectedAnswer) !== code) {
      throw new Error(`the toolbox answered ${code} with ${expectedAnswer.slice(0, 500)}`);
    }
    requests.push({ ...request, expectedAnswer });
  }
  return asSeries(requests);
}

/** Each row is a text in the answer. */
function codeIn(answer: string): string | undefined {
  const { result } = JSON.parse(answer) as { result?: { content?: { text?: string }[] } };
  const [row, ...more] = result?.content ?? [];
  if (more.length > 0 || row?.text === undefined) return undefined;
  return (JSON.parse(row.text) as { code?: string }).code;
}

/** @returns the path of the program, which npm has fetched once */
async function fetchToolbox(log: (line: string) => void): Promise<string> {
  const directory = join(packageRoot, ".tidegate", "peers");
  const native = nativeProgram(directory);
  if (!existsSync(native)) {
    log(`fetching ${peerPackage} ${peerVersion} (300 MB)`);
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, "package.json"), '{ "private": true }\n');
    const args = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--save-exact"];
    const { status, stderr } = await run("npm", [...args, `${peerPackage}@${peerVersion}`], {
      cwd: directory,
    });
    if (status !== 0) throw new Error(`npm install ${peerPackage} failed:\n${stderr}`);
  }
  // Not the package's script: it starts this program as another process, whose CPU time would be missing.
  if (existsSync(native)) return native;
  throw new Error(`${peerPackage} has no program for ${process.platform}-${process.arch}`);
}

function nativeProgram(directory: string): string {
  const name = `server-${process.platform}-${process.arch}`;
  return join(directory, "node_modules", "@toolbox-sdk", name, "bin", "toolbox");
}
