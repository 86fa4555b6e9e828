import { Stop } from "../command/errors.ts";
import { runWrangler } from "./wrangler.ts";

/** Who deploys, to which account. */

interface Account {
  id: string;
  name: string;
}

interface WhoAmI {
  loggedIn?: boolean;
  authType?: string;
  email?: string;
  accounts?: Account[];
}

/**
 * @param wanted the account that the project or CLOUDFLARE_ACCOUNT_ID names
 * @returns one line for the operator. It never has a token.
 * @throws Stop if there is no login, or if it is not clear to which account the Worker goes
 */
export async function checkLogin(environment: string, wanted: string | undefined): Promise<string> {
  const { status, stdout, failure } = await runWrangler(["whoami", "--json"]);
  const said = readAnswer(stdout);
  if (said?.loggedIn === false) {
    throw new Stop(
      "login: there is none: run npx wrangler login, or set CLOUDFLARE_API_TOKEN (a token made of the template Edit Cloudflare Workers).",
    );
  }
  if (status !== 0 || said === undefined) {
    throw new Stop(
      `login: Cloudflare does not take it: ${failure}. Check CLOUDFLARE_API_TOKEN and the network; npx wrangler whoami says more.`,
    );
  }
  const { authType = "login", email, accounts = [] } = said;
  const who = email === undefined ? authType : `${authType} of ${email}`;
  return `${who}, account ${accountOf(environment, wanted, accounts)}`;
}

function accountOf(environment: string, wanted: string | undefined, accounts: readonly Account[]): string {
  const show = ({ id, name }: Account) => `${name} (${id})`;
  // A token without the right to read accounts lists none, and may deploy all the same.
  if (wanted !== undefined) {
    const account = accounts.find(({ id }) => id === wanted);
    if (account) return show(account);
    if (accounts.length === 0) return wanted;
    throw new Stop(
      `login: it has no account ${wanted}; it has ${accounts.map(show).join(", ")}. Correct account_id of [env.${environment}.worker], or CLOUDFLARE_ACCOUNT_ID.`,
    );
  }
  const [only, ...others] = accounts;
  if (only && others.length === 0) return show(only);
  const choice = only ? `it has several accounts: ${accounts.map(show).join(", ")}` : "it lists no account";
  throw new Stop(
    `login: ${choice}. Name the account: account_id = "…" in [env.${environment}.worker], or CLOUDFLARE_ACCOUNT_ID.`,
  );
}

function readAnswer(stdout: string): WhoAmI | undefined {
  try {
    return JSON.parse(stdout) as WhoAmI;
  } catch {
    return undefined;
  }
}
