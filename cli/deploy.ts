import { relative, resolve } from "node:path";
import type { OptionsOf } from "./command/declare.ts";
import { declare } from "./command/declare.ts";
import { Stop } from "./command/errors.ts";
import { gatewayUrl } from "./command/gateway-url.ts";
import { checkLogin } from "./deploy/account.ts";
import { checkSecrets, namesIn } from "./deploy/secrets.ts";
import { checkSize } from "./deploy/size.ts";
import { smokeTest } from "./deploy/smoke.ts";
import { addressOf } from "./deploy/target.ts";
import type { Deployed } from "./deploy/wrangler.ts";
import { noSuchWorker, runWrangler } from "./deploy/wrangler.ts";
import { readQueryFiles } from "./project/application.ts";
import { buildEnvironment } from "./project/build-environment.ts";
import { refuseDevelopmentKey } from "./project/development-key.ts";
import { checkEnvironment, warningsOf } from "./project/environment.ts";
import { environmentOption } from "./project/environment-option.ts";
import { queryName, readLock, staleness } from "./project/lock.ts";
import { withoutLinks } from "./project/paths.ts";
import { readPolicyFile } from "./project/project-file.ts";
import { readJson, readText } from "./project/read-text.ts";

/** A new address of Cloudflare has its certificate after about a minute. */
const patienceMs = 90_000;

export const declaration = declare(
  "deploy",
  "Checks an environment (login, plan, secrets, queries.lock, configuration, size), deploys it, asks the gateway whether it works, and says how to roll back. Every other option is one of wrangler deploy and goes to it: --outdir DIRECTORY, --message TEXT. Exit code 1: it is deployed, and the smoke test found a mistake; 2: it is not deployed.",
)
  .addOption(environmentOption("the environment to deploy").makeOptionMandatory())
  .option("--dry-run", "checks and bundles only: asks Cloudflare nothing, uploads nothing", false)
  .option(
    "--secrets-file <FILE>",
    'secrets that go with this version, as JSON: {"NAME": "value"}; a first deployment needs them',
  )
  .option("--url <URL>", "the gateway's address, if its routes do not say one", gatewayUrl)
  .option(
    "--smoke-token-file <FILE>",
    "a token for the smoke test; TIDEGATE_SMOKE_TOKEN may have it too. Without one only /livez and /readyz are asked",
  )
  .option(
    "--smoke-query <NAME>",
    "the saved query that the smoke test asks; without it the first that reads, needs no parameter and is allowed",
  )
  .argument("[wrangler's options...]")
  .allowUnknownOption();

type Options = OptionsOf<typeof declaration>;

export async function run(options: Options, words: string[]): Promise<number> {
  const { env, dryRun } = options;
  refuseOwn(words);
  const token = readToken(options);
  const given = options.secretsFile === undefined ? [] : namesIn(options.secretsFile);
  if (!dryRun) refuseDevelopmentKey(env, readPolicyFile(env), "Not deployed");
  // The other steps need what this one writes, so it comes first; its line has its place below.
  const build = buildChecked(env);
  const deploy = deployCommand(options, build, words);
  if (dryRun) say("login, plan, secrets", "not asked, because of --dry-run");
  else await askCloudflare(options, build, given);
  checkLock();
  say("configuration", `[env.${env}] has no mistake`);
  for (const line of warningsOf(env)) console.error(`configuration: WARNING: ${line}`);
  say("size", checkSize(await bundle(deploy)));
  if (dryRun) {
    say("dry run", "nothing was uploaded");
    return 0;
  }
  const rollback = await rollbackLine(build);
  const deployed = await upload(deploy, rollback);
  const mistake = await smoke(options, deployed, token);
  say("rollback", rollback);
  return mistake ? 1 : 0;
}

interface Build {
  /** The Worker's name. */
  worker: string;
  accountId: string | undefined;
  secrets: readonly string[];
  /** The path of wrangler's configuration, and as an operator here writes it. */
  config: string;
  shownConfig: string;
  usesLimits: boolean;
}

/** What of the configuration that the build writes is asked for here. */
interface BuiltConfig {
  name: string;
  account_id?: string;
  secrets?: { required?: string[] };
  limits?: unknown;
}

/** These decide what is deployed and where; the project says that. */
function refuseOwn(words: readonly string[]): void {
  const own = words.find((word) => /^(--config|-c|--name|--script|--no-bundle|--env-file)(=|$)/.test(word));
  if (own === undefined) return;
  const [option] = own.split("=");
  throw new Stop(`${option} is not for tidegate deploy: tidegate.toml says it, under [env.NAME.worker].`);
}

/** @throws Stop with the mistakes */
function buildChecked(env: string): Build {
  const mistakes = checkEnvironment(env);
  if (mistakes.length > 0) throw notDeployed("configuration", mistakes);
  const { wrangler } = buildEnvironment(env);
  const { name, account_id, secrets, limits } = readJson(wrangler) as BuiltConfig;
  return {
    worker: name,
    accountId: account_id ?? process.env.CLOUDFLARE_ACCOUNT_ID,
    secrets: secrets?.required ?? [],
    config: wrangler,
    shownConfig: relative(process.cwd(), wrangler),
    usesLimits: limits !== undefined,
  };
}

function checkLock(): void {
  const stale = staleness(readQueryFiles(), readLock());
  if (stale.length > 0) throw notDeployed("lock", stale);
  say("lock", "queries.lock is of these saved queries");
}

async function askCloudflare(
  { env, secretsFile }: Options,
  build: Build,
  given: readonly string[],
): Promise<void> {
  const { worker, config, shownConfig, secrets: needed, accountId, usesLimits } = build;
  say("login", await checkLogin(env, accountId));
  say(
    "plan",
    `not asked: wrangler has no question for it. The free plan has 100,000 requests a day and 10 ms of CPU for each${
      usesLimits ? `; limits of [env.${env}.worker] need the paid plan` : ""
    }`,
  );
  const question = { environment: env, worker, config, shownConfig, needed, given, file: secretsFile };
  say("secrets", await checkSecrets(question));
}

function deployCommand({ secretsFile }: Options, { config }: Build, words: readonly string[]): string[] {
  const secrets = secretsFile === undefined ? [] : ["--secrets-file", resolve(secretsFile)];
  return ["deploy", "--config", config, ...secrets, ...withWholePath(words)];
}

/** wrangler would write a part of the bundle below the folder of its configuration. */
function withWholePath(words: readonly string[]): string[] {
  return words.map((word, i) => {
    if (words[i - 1] === "--outdir") return withoutLinks(word);
    return word.startsWith("--outdir=") ? `--outdir=${withoutLinks(word.slice("--outdir=".length))}` : word;
  });
}

/** Bundles as the deployment will. @returns the sizes */
async function bundle(deploy: readonly string[]) {
  const { status, failure, deployed } = await runWrangler([...deploy, "--dry-run"]);
  if (status === 0 && deployed?.bundle_size) return deployed.bundle_size;
  throw new Stop(`size: wrangler could not bundle: ${failure}`);
}

/** @returns how to come back to the version that is deployed now */
async function rollbackLine({ config, shownConfig }: Build): Promise<string> {
  const { status, stdout, code } = await runWrangler(["deployments", "status", "--json", "--config", config]);
  if (noSuchWorker.includes(code ?? 0))
    return `there is no version before this one; npx wrangler delete --config ${shownConfig} removes the Worker`;
  // Without an id wrangler takes the last version that had all requests.
  const versions: { version_id: string; percentage: number }[] =
    status === 0 ? JSON.parse(stdout).versions : [];
  const [last] = versions.toSorted((a, b) => b.percentage - a.percentage);
  return `npx wrangler rollback ${last ? `${last.version_id} ` : ""}--config ${shownConfig}`;
}

async function upload(deploy: readonly string[], rollback: string): Promise<Deployed | undefined> {
  const { status, deployed } = await runWrangler(deploy, { shown: true });
  if (status === 0) return deployed;
  throw new Stop(
    `upload: wrangler deploy failed, as it says above. If it says Uploaded, the version may have requests already. Rollback: ${rollback}`,
  );
}

/** @returns whether a mistake was found and told */
async function smoke({ url: given, smokeQuery: query }: Options, deployed?: Deployed, token?: string) {
  const url = given ?? addressOf(deployed?.targets ?? []);
  if (url === undefined) {
    say("smoke test", "not run: the routes name no single address; --url says one");
    return false;
  }
  const tell = (line: string) => say(`smoke test of ${url.origin}`, line);
  const mistake = await smokeTest({ url, token, query, patienceMs }, tell);
  if (mistake === undefined) return false;
  console.error(`smoke test: ${mistake}\nThe new version stays deployed.`);
  return true;
}

/** @throws Stop before anything is deployed */
function readToken({ smokeTokenFile: file, smokeQuery: query }: Options): string | undefined {
  const given = file === undefined ? process.env.TIDEGATE_SMOKE_TOKEN : readText(file);
  const token = given?.trim() || undefined;
  // fetch would repeat the token in its error message.
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token))
    throw new Stop(`${file ?? "TIDEGATE_SMOKE_TOKEN"}: a token is one line of text.`);
  if (query === undefined) return token;
  if (token === undefined)
    throw new Stop("--smoke-query needs a token: set TIDEGATE_SMOKE_TOKEN, or give --smoke-token-file.");
  const names = readQueryFiles().map(queryName);
  if (names.includes(query)) return token;
  throw new Stop(`--smoke-query: there is no saved query ${query}; there are: ${names.join(", ")}.`);
}

function notDeployed(step: string, mistakes: readonly string[]): Stop {
  if (mistakes.length === 1) return new Stop(`Not deployed: ${step}: ${mistakes[0]}`);
  return new Stop(
    `Not deployed: ${step}: ${mistakes.length} mistakes\n${mistakes.map((line) => `- ${line}`).join("\n")}`,
  );
}

function say(step: string, line: string): void {
  console.log(`${step}: ${line}`);
}
