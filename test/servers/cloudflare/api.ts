import type { IncomingMessage } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * A stand-in for Cloudflare's API: the answers that wrangler needs to deploy one Worker of one account. It keeps which
 * secrets and versions the Worker has. It is no Cloudflare: whether the real API takes an upload, no test here can say.
 */
export interface CloudflareApi {
  /** For CLOUDFLARE_API_BASE_URL. */
  url: string;
  /** "METHOD path", in order. */
  requests: string[];
  worker: Worker;
  stop(): Promise<void>;
}

/** What the account has of the Worker. */
export interface Worker {
  exists: boolean;
  secrets: string[];
  /** The ids of its versions, the newest last. */
  versions: string[];
}

export interface CloudflareApiOptions {
  /** The only token that it takes. */
  token: string;
  accounts?: { id: string; name: string }[];
  subdomain?: string;
}

const account = { id: "0123456789abcdef0123456789abcdef", name: "Example" };
const noWorker = { status: 404, code: 10_007, message: "This Worker does not exist on your account." };

type Answer = { result: unknown } | { status: number; code: number; message: string };

export async function startCloudflareApi(options: CloudflareApiOptions): Promise<CloudflareApi> {
  const { token, accounts = [account] } = options;
  const worker: Worker = { exists: false, secrets: [], versions: [] };
  const requests: string[] = [];
  const server = createServer(async (request, response) => {
    const path = (request.url ?? "").replace("/client/v4", "").replace(/\?.*/, "");
    const body = await readBody(request);
    requests.push(`${request.method} ${path}`);
    const isKnown = request.headers.authorization === `Bearer ${token}`;
    const answer: Answer = isKnown
      ? answerTo(`${request.method} ${path}`, {
          worker,
          accounts,
          body,
          subdomain: options.subdomain ?? "example",
        })
      : { status: 401, code: 10_000, message: "Authentication error" };
    const page = {
      page: 1,
      per_page: 50,
      count: accounts.length,
      total_count: accounts.length,
      total_pages: 1,
    };
    response.writeHead("status" in answer ? answer.status : 200, { "content-type": "application/json" }).end(
      JSON.stringify(
        "status" in answer
          ? {
              success: false,
              errors: [{ code: answer.code, message: answer.message }],
              messages: [],
              result: null,
            }
          : { success: true, errors: [], messages: [], result: answer.result, result_info: page },
      ),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/client/v4`,
    requests,
    worker,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface State {
  worker: Worker;
  accounts: { id: string; name: string }[];
  /** Of the request. */
  body: string;
  subdomain: string;
}

function answerTo(asked: string, { worker, accounts, body, subdomain }: State): Answer {
  const [request = ""] = [
    asked.replace(/\/accounts\/\w+/, "").replace(/(?<=\/(scripts|services|workers)\/)tidegate-[\w-]+/, "W"),
  ];
  const existing = (result: unknown): Answer => (worker.exists ? { result } : noWorker);
  switch (request) {
    case "GET /user/tokens/verify":
      return { result: { id: "t", status: "active" } };
    case "GET /user":
      return { result: { email: "operator@example.com" } };
    case "GET /accounts":
    case "GET /memberships":
      return {
        result: accounts.map((one) => (request === "GET /accounts" ? one : { id: one.id, account: one })),
      };
    case "GET /workers/subdomain":
      return { result: { subdomain } };
    case "GET /workers/services/W":
      return existing({
        default_environment: { environment: "production", script: { last_deployed_from: "wrangler" } },
      });
    case "GET /workers/scripts/W/secrets":
      return existing(worker.secrets.map((name) => ({ name, type: "secret_text" })));
    case "GET /workers/scripts/W/deployments":
      return existing({ deployments: deploymentsOf(worker) });
    case "POST /workers/scripts/W/assets-upload-session":
      // A token as JWT, which wrangler reads; no file is missing.
      return { result: { jwt: "eyJhbGciOiJub25lIn0.e30.c2ln", buckets: [] } };
    case "PUT /workers/scripts/W":
      return { result: uploaded(worker, body) };
    case "GET /workers/scripts/W/settings":
      return existing({ tags: [] });
    case "GET /workers/workers/W":
      return existing({ id: "w", name: "w", subdomain: { enabled: true, previews_enabled: false } });
    case "GET /workers/scripts/W/subdomain":
    case "POST /workers/scripts/W/subdomain":
      return existing({ enabled: true, previews_enabled: false });
    default:
      return { status: 404, code: 7_003, message: `The stand-in does not know ${asked}` };
  }
}

function deploymentsOf({ versions }: Worker) {
  const version_id = versions.at(-1);
  if (version_id === undefined) return [];
  return [
    {
      id: "d",
      source: "wrangler",
      strategy: "percentage",
      created_on: "2026-11-01T00:00:00Z",
      versions: [{ version_id, percentage: 100 }],
    },
  ];
}

/** Takes the names of the secrets that come with the upload. */
function uploaded(worker: Worker, body: string) {
  const bindings = [...body.matchAll(/\{"name":"(\w+)","type":"secret_text"/g)].map(([, name = ""]) => name);
  worker.exists = true;
  worker.secrets = [...new Set([...worker.secrets, ...bindings])];
  const id = `${worker.versions.length + 1}`.padStart(32, "0");
  worker.versions.push(id.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5"));
  return { id: "w", etag: "e", deployment_id: id, startup_time_ms: 12 };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("latin1");
}
