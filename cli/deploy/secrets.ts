import { Stop } from "../command/errors.ts";
import { readText } from "../project/read-text.ts";
import { noSuchWorker, runWrangler } from "./wrangler.ts";

/** Whether the Worker has each secret that its policy names. No value is kept or shown here. */

export interface SecretsQuestion {
  environment: string;
  /** The Worker's name. */
  worker: string;
  /** wrangler's configuration, and how an operator in the project's folder writes its path. */
  config: string;
  shownConfig: string;
  /** The names that the policy needs. */
  needed: readonly string[];
  /** The file that the deployment takes secrets from, and the names in it. */
  file: string | undefined;
  given: readonly string[];
}

/**
 * @returns one line for the operator
 * @throws Stop that names each missing secret and how to put it
 */
export async function checkSecrets(question: SecretsQuestion): Promise<string> {
  const { needed, given, worker, config } = question;
  const { status, stdout, failure, code } = await runWrangler(["secret", "list", "--config", config]);
  const isNew =
    status !== 0 && (noSuchWorker.includes(code ?? 0) || failure.includes(`"${worker}" not found`));
  if (status !== 0 && !isNew) throw new Stop(`secrets: Cloudflare does not list them: ${failure}`);
  const put = isNew ? [] : (JSON.parse(stdout) as { name: string }[]).map(({ name }) => name);
  const missing = needed.filter((name) => !put.includes(name) && !given.includes(name));
  if (missing.length > 0) throw new Stop(remedy(question, missing, isNew));
  const unused = put.filter((name) => !needed.includes(name));
  const rest = unused.length === 0 ? "" : `; not named by the policy: ${unused.join(", ")}`;
  const sent = given.length === 0 ? "" : `, of them with this deployment: ${given.join(", ")}`;
  return `${needed.length === 0 ? "the policy needs none" : `${needed.join(", ")} are there`}${sent}${rest}`;
}

/** The first version of a Worker comes with its secrets: before it, wrangler has no Worker to put them to. */
function remedy(question: SecretsQuestion, missing: readonly string[], isNew: boolean): string {
  const { environment, worker, shownConfig, file } = question;
  if (isNew) {
    const text = JSON.stringify(Object.fromEntries(missing.map((name) => [name, "…"])));
    return file === undefined
      ? `secrets: there is no Worker ${worker} yet, so its secrets come with its first version. Write ${text} into a file of mode 600, run npx tidegate deploy --env ${environment} --secrets-file FILE, and remove the file.`
      : `secrets: ${file} lacks ${missing.join(", ")}, and there is no Worker ${worker} yet: add them to the file.`;
  }
  const commands = missing.map((name) => `  npx wrangler secret put ${name} --config ${shownConfig}`);
  return [`secrets: the Worker ${worker} lacks ${missing.join(", ")}:`, ...commands].join("\n");
}

/**
 * @returns the names in a file that wrangler takes: JSON, or lines NAME=value
 * @throws Stop if wrangler would change a value, and if one is no text or empty: CI makes "" of a secret that is not set
 */
export function namesIn(path: string): string[] {
  const text = readText(path);
  const json = readObject(text);
  if (json !== undefined) {
    const entries = Object.entries(json);
    demandValues(
      path,
      entries.filter(([, value]) => typeof value !== "string" || value === ""),
    );
    return entries.map(([name]) => name);
  }
  const lines = [...text.matchAll(/^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=(.*)$/gm)];
  if (lines.length === 0)
    throw new Stop(
      `--secrets-file: ${path} is neither JSON nor lines of NAME=value: write {"NAME": "value"}.`,
    );
  const [changed] = lines.filter(([, , value = ""]) => /(?<!\\)\$/.test(value));
  if (changed) {
    throw new Stop(
      `--secrets-file: ${changed[1]} in ${path} has a $, which wrangler would replace as a shell does: write the file as JSON, {"NAME": "value"}.`,
    );
  }
  const named = lines.map(([, name = "", value = ""]) => [name, value] as const);
  demandValues(
    path,
    named.filter(([, value]) => emptyForm.test(value)),
  );
  return named.map(([name]) => name);
}

/** Nothing, or empty quotes; a comment may stand behind them. */
const emptyForm = /^\s*(?:""|''|``)?\s*(?:#.*)?$/;

/** @param wrong those without a value that can be a secret. @throws Stop that names them */
function demandValues(path: string, wrong: readonly (readonly [name: string, value: unknown])[]): void {
  if (wrong.length === 0) return;
  const names = wrong.map(([name]) => name).join(", ");
  throw new Stop(
    `--secrets-file: ${names} in ${path} must be a text that is not empty: set the value, or leave the name out.`,
  );
}

function readObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
