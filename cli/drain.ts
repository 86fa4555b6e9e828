import { text } from "node:stream/consumers";
import type { Problem } from "../src/errors.ts";
import type { OptionsOf } from "./command/declare.ts";
import { declare } from "./command/declare.ts";
import { Stop } from "./command/errors.ts";
import { gatewayUrl } from "./command/gateway-url.ts";
import { fetchErrorText } from "./command/system-errors.ts";
import { readDevelopment } from "./project/development.ts";
import { environmentOption } from "./project/environment-option.ts";
import { typed } from "./project/paths.ts";

const timeoutMs = 30_000;

// There is no option for the token, because the shell would keep it in its history.
export const declaration = declare(
  "drain",
  "Ends a gateway's connections after a change at the database (docs/guides/rotation.md). The token comes from TIDEGATE_TOKEN or from standard input. While npm start runs, --env development needs neither URL nor token.",
)
  .addOption(environmentOption("the gateway's environment").makeOptionMandatory())
  .option("--url <URL>", "the gateway's address; needed but for development", gatewayUrl)
  .option("--account <NAME>", "the only account whose connections end; without it all do");

export async function run({ env, url, account }: OptionsOf<typeof declaration>): Promise<undefined> {
  await drain(await targetOf(env, url), account);
}

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

/** @throws Stop */
async function targetOf(environment: string, url: URL | undefined) {
  const { TIDEGATE_TOKEN: given } = process.env;
  if (url !== undefined) return { gateway: url, token: given ?? (await tokenFromInput()) };
  if (environment !== "development") {
    throw new Stop(`Where is the gateway of ${environment}? Say it with --url https://…`, 2);
  }
  const development = readDevelopment();
  if (!development) {
    throw new Stop(
      `Nothing is running: ${typed("start")} first, in another terminal; or say where with --url.`,
      2,
    );
  }
  const token = given ?? development.tokens[development.operator ?? ""];
  if (token !== undefined) return { gateway: new URL(development.gateway), token };
  throw new Stop(
    "No grant of [env.development] allows operate: add it to one and start again, or set TIDEGATE_TOKEN.",
    2,
  );
}

/** @throws Stop at a terminal, because it would show the typed token */
async function tokenFromInput(): Promise<string> {
  const token = process.stdin.isTTY ? "" : (await text(process.stdin)).trim();
  if (token !== "") return token;
  throw new Stop("There is no token: set TIDEGATE_TOKEN, or pipe the token to this command.", 2);
}

/** @throws Stop with the problem's title and detail if the gateway refuses */
async function drain({ gateway, token }: { gateway: URL; token: string }, account: string | undefined) {
  // fetch would repeat the token in its error message.
  if (!/^[\x21-\x7e]+$/.test(token)) throw new Stop("The token must be one line of text.", 2);
  const response = await fetch(new URL("/v1/drain", gateway), {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ account }),
    redirect: "error",
    signal: AbortSignal.timeout(timeoutMs),
  }).catch((cause: unknown) => {
    throw new Stop(`${gateway.origin} gives no answer: ${fetchErrorText(cause)}`);
  });
  const body = (await response.json().catch(() => ({}))) as Partial<Problem & Answer>;
  if (response.ok && body.accounts) {
    for (const one of body.accounts) console.log(lineOf(one));
  } else if (body.title === undefined) {
    throw new Stop(`${gateway.origin} answers ${response.status}, and not as a Tidegate does`);
  } else {
    const { title, detail, code, request_id } = body;
    throw new Stop(`${title}${detail === undefined ? "" : `: ${detail}`} (${code}, request ${request_id})`);
  }
}

function lineOf({ account, shards, idle_closed, busy, opening }: Drained): string {
  return `${account}: ${idle_closed} idle closed, ${busy} in use close after their statement, ${opening} logins begin anew (shards: ${shards})`;
}
