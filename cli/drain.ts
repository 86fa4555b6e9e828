/**
 * npm run drain -- --env NAME [--url URL] [--account NAME]: ends the gateway's connections after a change at
 * the database (docs/rotation.md). The token comes from TIDEGATE_TOKEN or from standard input: an argument
 * would stand in the shell's history. While npm start runs, --env development needs neither URL nor token.
 */
import { text } from "node:stream/consumers";
import { parseArgs } from "node:util";
import type { Problem } from "../src/errors.ts";
import { readDevelopment } from "./dev/development.ts";
import { environments } from "./project/environment.ts";

const timeoutMs = 30_000;

/** What was typed cannot be carried out; the text says what would do. */
class UsageError extends Error {}

/** An account in the answer of POST /v1/drain. */
interface Drained {
  account: string;
  shards: number;
  idle_closed: number;
  busy: number;
  opening: number;
}

interface Answer {
  accounts: Drained[];
}

try {
  const { values } = parseArgs({
    options: { env: { type: "string" }, url: { type: "string" }, account: { type: "string" } },
  });
  const target = await targetOf(values.env, values.url);
  await drain(target, values.account);
} catch (cause) {
  console.error(cause instanceof Error ? cause.message : String(cause));
  const isUsage =
    cause instanceof UsageError || (cause as { code?: string }).code?.startsWith("ERR_PARSE_ARGS");
  process.exitCode = isUsage ? 2 : 1;
}

/** @throws UsageError */
async function targetOf(environment: string | undefined, url: string | undefined) {
  if (environment === undefined || !environments.some((known) => known === environment)) {
    throw new UsageError(
      `npm run drain -- --env ${environments.join("|")} [--url URL] [--account NAME], with the token in TIDEGATE_TOKEN or on standard input`,
    );
  }
  const { TIDEGATE_TOKEN: given } = process.env;
  if (url !== undefined) return { gateway: checkedUrl(url), token: given ?? (await tokenFromInput()) };
  if (environment !== "development") {
    throw new UsageError(`Where is the gateway of ${environment}? Say it with --url https://…`);
  }
  const development = readDevelopment();
  if (!development) {
    throw new UsageError(
      "Nothing is running: npm start first, in another terminal; or say where with --url.",
    );
  }
  return { gateway: new URL(development.gateway), token: given ?? development.tokens.operator ?? "" };
}

/** The token goes there: in clear text to this machine only. @throws UsageError */
function checkedUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isLoopback = ["127.0.0.1", "localhost", "[::1]"].includes(url?.hostname ?? "");
  if (url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback)) return url;
  throw new UsageError("--url must be https://… (http:// only for this machine): the token goes there.");
}

/** @throws UsageError at a terminal, which would show what is typed */
async function tokenFromInput(): Promise<string> {
  const token = process.stdin.isTTY ? "" : (await text(process.stdin)).trim();
  if (token !== "") return token;
  throw new UsageError("There is no token: set TIDEGATE_TOKEN, or pipe the token to this command.");
}

/** @throws with the problem's title and detail when the gateway refuses */
async function drain({ gateway, token }: { gateway: URL; token: string }, account: string | undefined) {
  // fetch would repeat the token in its complaint.
  if (!/^[\x21-\x7e]+$/.test(token)) throw new UsageError("The token must be one line of text.");
  const response = await fetch(new URL("/v1/drain", gateway), {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ account }),
    redirect: "error",
    signal: AbortSignal.timeout(timeoutMs),
  }).catch(({ cause, message }: Error) => {
    throw new Error(`${gateway.origin} gives no answer: ${cause instanceof Error ? cause.message : message}`);
  });
  const body = (await response.json().catch(() => ({}))) as Partial<Problem & Answer>;
  if (response.ok && body.accounts) {
    for (const one of body.accounts) console.log(lineOf(one));
  } else if (body.title === undefined) {
    throw new Error(`${gateway.origin} answers ${response.status}, and not as a Tidegate does`);
  } else {
    const { title, detail, code, request_id } = body;
    throw new Error(`${title}${detail === undefined ? "" : `: ${detail}`} (${code}, request ${request_id})`);
  }
}

function lineOf({ account, shards, idle_closed, busy, opening }: Drained): string {
  return `${account}: ${idle_closed} idle closed, ${busy} in use close after their statement, ${opening} logins begin anew (shards: ${shards})`;
}
